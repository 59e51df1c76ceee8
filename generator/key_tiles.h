// Which key tiles the rows of a tile visit: what templates/cuda/tile_sequence.cuh walks, on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/expression.h"
#include "generator/problem.h"

namespace attentune {

// Half-open runs of tiles of `tile_n` keys that rows [first, last] (shift included) may see, sorted and disjoint.
// `runs` are the visible_runs() of the problem's mask. Empty where no key is visible.
[[nodiscard]] std::vector<Interval> key_tile_runs(const Problem& problem, const std::vector<Node>& runs,
                                                  std::int64_t tile_n, Interval rows);

}  // namespace attentune
