// Which rows of a large problem are checked (promise 1b): tile edges, mask edges, first, last and seeded random ones.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/problem.h"
#include "runtime/reference/row.h"

namespace attentune {

// What the exact reference and the naive twin together may spend on one problem, in the flop of reference_cost: about
// 0.6 s on one core of 2023, which does 7e9 of them a second.
inline constexpr double sampling_budget_flop = 4.0e9;

// Sorted, without repeats, all of them when they fit the budget; at least one row of a problem that has any.
[[nodiscard]] std::vector<Row> sample_rows(const Problem& problem, std::uint64_t seed,
                                           double budget_flop = sampling_budget_flop);

// What both twins of `rows` rows spread over `heads` (batch, KV head) pairs are taken to cost, in flop.
[[nodiscard]] double reference_cost(const Problem& problem, std::int64_t rows, std::int64_t heads);

}  // namespace attentune
