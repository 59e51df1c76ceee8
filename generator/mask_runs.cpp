#include "generator/mask_runs.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace attentune {
namespace {

// More terms than this are replaced by one run around them before they multiply further.
constexpr std::size_t max_terms = 16;
// Lengths and arguments stop here, as in templates/cuda/mask.cuh.
constexpr std::int64_t farthest = std::int64_t{1} << 30;

Node join(Op op, Node a, Node b) {
  Node node{.op = op};
  node.operands.push_back(std::move(a));
  node.operands.push_back(std::move(b));
  return node;
}

// One run around terms [first, end), in their place.
void merge_from(std::vector<Node>& terms, std::size_t first) {
  while (terms.size() > first + 1) {
    Node last = std::move(terms.back());
    terms.pop_back();
    terms.back() = join(Op::either, std::move(terms.back()), std::move(last));
  }
}

std::vector<Node> terms_of(const Node& node) {
  if (node.op != Op::both && node.op != Op::either)
    return {node};
  std::vector<Node> left = terms_of(node.operands[0]);
  std::vector<Node> right = terms_of(node.operands[1]);
  if (node.op == Op::either) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
  }
  if (left.size() * right.size() > max_terms) {
    merge_from(left, 0);
    merge_from(right, 0);
  }
  std::vector<Node> products;
  for (const Node& a : left) {
    for (const Node& b : right)
      products.push_back(join(Op::both, a, b));
  }
  return products;
}

}  // namespace

std::vector<Node> visible_runs(const Node& mask) {
  std::vector<Node> terms = terms_of(mask);
  merge_from(terms, max_key_runs - 1);
  return terms;
}

Interval key_run(const Node& run, const std::vector<std::int64_t>& arguments, Interval rows) {
  const auto argument = [&](std::size_t offset) {
    return std::min(arguments[static_cast<std::size_t>(run.first_slot) + offset], farthest);
  };
  switch (run.op) {
    case Op::causal:
      return {.first = 0, .last = rows.last};
    case Op::window:
      return {.first = rows.first - argument(0), .last = rows.last + argument(1)};
    case Op::sink:
      return {.first = 0, .last = argument(0) - 1};
    case Op::both: {
      const Interval a = key_run(run.operands[0], arguments, rows);
      const Interval b = key_run(run.operands[1], arguments, rows);
      return {.first = std::max(a.first, b.first), .last = std::min(a.last, b.last)};
    }
    case Op::either: {
      const Interval a = key_run(run.operands[0], arguments, rows);
      const Interval b = key_run(run.operands[1], arguments, rows);
      if (a.last < a.first)
        return b;
      return b.last < b.first ? a : Interval{.first = std::min(a.first, b.first), .last = std::max(a.last, b.last)};
    }
    case Op::all:
    case Op::score:
    case Op::softcap:
      break;
  }
  return {.first = 0, .last = farthest};
}

}  // namespace attentune
