#include "runtime/reference/sampling.h"

#include <algorithm>
#include <tuple>

#include "runtime/reference/random_values.h"

namespace attentune {
namespace {

// Measured beside one flop of the f64 reference: reading one element of K or V, and asking the mask about one key.
// Both twins pay them.
constexpr double flop_per_element_read = 12;
constexpr double flop_per_mask_question = 40;
constexpr double flop_per_exponential = 60;

struct RowCost {
  double row = 0;
  double head = 0;
};

RowCost cost_of(const Problem& problem) {
  const auto keys = static_cast<double>(problem.len_kv);
  const auto dims = static_cast<double>(problem.head_dim_qk + problem.head_dim_v);
  const auto rows = static_cast<double>(problem.batch * problem.heads_q) * static_cast<double>(problem.len_q);
  const double visible = rows > 0 ? flops(problem) / (2 * dims * rows) : 0;
  return {.row = 2 * (keys * flop_per_mask_question + visible * (2 * dims + flop_per_exponential)),
          .head = 2 * keys * dims * flop_per_element_read};
}

// Query rows worth a look, the most telling first, without repeats.
std::vector<std::int64_t> telling_queries(const Problem& problem, std::uint64_t seed) {
  std::vector<std::int64_t> queries;
  const auto add = [&](std::int64_t query) {
    if (query < 0 || query >= problem.len_q)
      return;
    if (std::find(queries.begin(), queries.end(), query) == queries.end())
      queries.push_back(query);
  };
  const auto add_around = [&](std::int64_t query) {
    for (const std::int64_t offset : {0, -1, 1})
      add(query + offset);
  };
  add(0);
  add(problem.len_q - 1);
  // Causal and window edges meet the ends of the keys here; slots shift them by their own value.
  const std::int64_t shift = problem.shift();
  add_around(-shift);
  add_around(problem.len_kv - shift);
  std::vector<std::int64_t> widths = problem.mask.arguments;
  for (std::int64_t& width : widths)
    width = std::min(width, problem.len_q + problem.len_kv);  // "no limit" may be any number
  for (const std::int64_t a : widths) {
    add_around(a - shift);
    add_around(problem.len_kv - 1 - a - shift);
    for (const std::int64_t b : widths)
      add_around(a + b - shift);
  }
  for (const std::int64_t tile : {128, 64, 32, 16}) {
    add_around(tile);
    add_around(problem.len_q / tile * tile);
    add_around((-shift + tile - 1) / tile * tile);
    const auto tiles = static_cast<std::uint64_t>(problem.len_q / tile + 1);
    const auto random = static_cast<std::int64_t>(random_bits(seed, 1, static_cast<std::uint64_t>(tile)) % tiles);
    add_around(random * tile);
    add_around(random * tile - shift);
  }
  return queries;
}

// (batch, query head) pairs, the corners first; Row::query stays 0.
std::vector<Row> telling_heads(const Problem& problem, std::uint64_t seed) {
  constexpr std::int64_t most = 256;
  std::vector<Row> heads;
  const auto add = [&](std::int64_t batch, std::int64_t head) {
    const Row pair{.batch = batch, .query = 0, .head = head};
    if (std::find(heads.begin(), heads.end(), pair) == heads.end())
      heads.push_back(pair);
  };
  const std::int64_t last_head = problem.heads_q - 1;
  add(0, 0);
  add(problem.batch - 1, last_head);
  add(0, problem.group() - 1);
  add(problem.batch - 1, std::min(problem.group(), last_head));
  const std::int64_t pairs = problem.batch * problem.heads_q;
  if (pairs <= most) {
    for (std::int64_t pair = 0; pair < pairs; ++pair)
      add(pair / problem.heads_q, pair % problem.heads_q);
    // Behind the corners in seeded order, so that a small budget does not always meet the same ones.
    std::sort(heads.begin() + std::min<std::ptrdiff_t>(4, std::ssize(heads)), heads.end(),
              [&](const Row& a, const Row& b) {
                const auto rank = [&](const Row& row) {
                  return random_bits(seed, 2, static_cast<std::uint64_t>(row.batch * problem.heads_q + row.head));
                };
                return rank(a) < rank(b);
              });
    return heads;
  }
  for (std::uint64_t index = 0; static_cast<std::int64_t>(heads.size()) < most; ++index) {
    const auto pair = static_cast<std::int64_t>(random_bits(seed, 2, index) % static_cast<std::uint64_t>(pairs));
    add(pair / problem.heads_q, pair % problem.heads_q);
  }
  return heads;
}

}  // namespace

double reference_cost(const Problem& problem, std::int64_t rows, std::int64_t heads) {
  const RowCost cost = cost_of(problem);
  return cost.row * static_cast<double>(rows) + cost.head * static_cast<double>(heads);
}

std::vector<Row> sample_rows(const Problem& problem, std::uint64_t seed, double budget_flop) {
  const std::int64_t every_row = problem.batch * problem.heads_q * problem.len_q;
  const RowCost cost = cost_of(problem);
  if (cost.row * static_cast<double>(every_row) + cost.head * static_cast<double>(problem.batch * problem.heads_kv) <=
      budget_flop) {
    return all_rows(problem);
  }
  const std::vector<std::int64_t> queries = telling_queries(problem, seed);
  const std::vector<Row> heads = telling_heads(problem, seed);
  // Up to half of the budget goes into reading different heads, the rest into rows.
  const double affordable_heads = cost.head > 0 ? budget_flop / 2 / cost.head : static_cast<double>(heads.size());
  const auto used_heads =
      static_cast<std::size_t>(std::clamp(affordable_heads, 1.0, static_cast<double>(heads.size())));
  const double affordable_rows =
      std::min((budget_flop - cost.head * static_cast<double>(used_heads)) / cost.row, static_cast<double>(every_row));
  const auto count = static_cast<std::size_t>(std::max(affordable_rows, 1.0));

  // Few rows a head (decode): the other query heads of a KV head that is read anyway cost next to nothing.
  std::vector<Row> chosen(heads.begin(), heads.begin() + static_cast<std::ptrdiff_t>(used_heads));
  for (std::size_t pair = 0; pair < used_heads; ++pair) {
    const std::int64_t first = heads[pair].head / problem.group() * problem.group();
    for (std::int64_t head = first; head < first + problem.group(); ++head) {
      if (std::ssize(chosen) * problem.len_q >= static_cast<std::int64_t>(count))
        break;
      const Row sibling{.batch = heads[pair].batch, .query = 0, .head = head};
      if (std::find(chosen.begin(), chosen.end(), sibling) == chosen.end())
        chosen.push_back(sibling);
    }
  }

  // Heads take turns; each starts where the one before it left off in the list, and goes on with random rows.
  const std::size_t per_head = (count + chosen.size() - 1) / chosen.size();
  std::vector<Row> rows;
  rows.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t head = index % chosen.size();
    const std::size_t turn = index / chosen.size();
    Row row = chosen[head];
    if (turn < queries.size()) {
      row.query = queries[(turn + head * per_head) % queries.size()];
    } else {
      row.query =
          static_cast<std::int64_t>(random_bits(seed, 3 + head, turn) % static_cast<std::uint64_t>(problem.len_q));
    }
    rows.push_back(row);
  }
  // By batch, head and query, like all_rows: neighbours share keys.
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tuple(a.batch, a.head, a.query) < std::tuple(b.batch, b.head, b.query);
  });
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace attentune
