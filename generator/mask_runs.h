// A mask as contiguous runs of keys: what GPU kernels walk instead of every key tile (DESIGN section 5, TileSequence).
#pragma once

#include <vector>

#include "generator/expression.h"

namespace attentune {

inline constexpr std::size_t max_key_runs = 4;

// The keys a range of rows sees lie in the union of the runs these trees stand for, 1 to max_key_runs of them. In them
// `both` is the common part of two runs and `either` the one run around both. Exact for up to max_key_runs terms of the
// mask's disjunctive normal form, else wider.
[[nodiscard]] std::vector<Node> visible_runs(const Node& mask);

// The run of one such tree for rows [first, last] (shift included), both ends inclusive and not clipped to the
// sequence; empty if last < first.
[[nodiscard]] Interval key_run(const Node& run, const std::vector<std::int64_t>& arguments, Interval rows);

}  // namespace attentune
