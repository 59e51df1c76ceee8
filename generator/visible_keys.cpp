#include "generator/visible_keys.h"

#include <algorithm>
#include <vector>

namespace attentune {
namespace {

// Sorted, disjoint runs of keys, both ends inclusive.
using Runs = std::vector<Interval>;

Runs clip(std::int64_t first, std::int64_t last, std::int64_t len_kv) {
  const Interval run{.first = std::max<std::int64_t>(first, 0), .last = std::min(last, len_kv - 1)};
  return run.first <= run.last ? Runs{run} : Runs{};
}

Runs intersect(const Runs& a, const Runs& b) {
  Runs result;
  for (const Interval& x : a) {
    for (const Interval& y : b) {
      const Interval both{.first = std::max(x.first, y.first), .last = std::min(x.last, y.last)};
      if (both.first <= both.last)
        result.push_back(both);
    }
  }
  return result;
}

Runs unite(const Runs& a, const Runs& b) {
  Runs all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end(), [](const Interval& x, const Interval& y) { return x.first < y.first; });
  Runs result;
  for (const Interval& run : all) {
    if (!result.empty() && run.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, run.last);
    } else {
      result.push_back(run);
    }
  }
  return result;
}

Runs runs_of(const Node& node, const Mask& mask, std::int64_t diagonal, std::int64_t len_kv) {
  const auto slot = [&](std::size_t offset) {
    return mask.arguments[static_cast<std::size_t>(node.first_slot) + offset];
  };
  switch (node.op) {
    case Op::causal:
      return clip(0, diagonal, len_kv);
    case Op::window: {
      // Widths beyond the sequence mean "no limit"; clamping them keeps the sums far from overflow.
      const std::int64_t reach = len_kv + std::abs(diagonal);
      return clip(diagonal - std::min(slot(0), reach), diagonal + std::min(slot(1), reach), len_kv);
    }
    case Op::sink:
      return clip(0, std::min(slot(0), len_kv) - 1, len_kv);
    case Op::both:
      return intersect(runs_of(node.operands[0], mask, diagonal, len_kv),
                       runs_of(node.operands[1], mask, diagonal, len_kv));
    case Op::either:
      return unite(runs_of(node.operands[0], mask, diagonal, len_kv),
                   runs_of(node.operands[1], mask, diagonal, len_kv));
    default:
      return clip(0, len_kv - 1, len_kv);
  }
}

}  // namespace

std::int64_t visible_keys(const Mask& mask, std::int64_t i, std::int64_t shift, std::int64_t len_kv) {
  std::int64_t count = 0;
  for (const Interval& run : runs_of(mask.structure->root, mask, i + shift, len_kv))
    count += run.last - run.first + 1;
  return count;
}

double visible_fraction(const Problem& p) {
  constexpr std::int64_t most_rows = 64;
  const std::int64_t rows = std::min(p.len_q, most_rows);
  if (rows <= 0 || p.len_kv <= 0)
    return 0;
  if (p.mask.is_all())
    return 1;
  double seen = 0;
  for (std::int64_t n = 0; n < rows; ++n) {
    // The middle of the n-th of `rows` equal parts.
    const std::int64_t i = n * (p.len_q / rows) + n * (p.len_q % rows) / rows + p.len_q / (2 * rows);
    seen += static_cast<double>(visible_keys(p.mask, i, p.shift(), p.len_kv));
  }
  return seen / static_cast<double>(rows) / static_cast<double>(p.len_kv);
}

}  // namespace attentune
