// How a call is cut into work items, for every family of GPU kernels: templates/cuda/work_item.cuh, on the host. A
// Shape is a Config in numbers with tile_m, tile_n, packed and splits among them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "generator/integer.h"
#include "generator/key_tiles.h"
#include "generator/mask_runs.h"
#include "generator/problem.h"
#include "generator/splits.h"

namespace attentune {

// Query heads that share a block.
template <typename Shape>
[[nodiscard]] std::int64_t heads_a_block(const Shape& shape, const Problem& problem) noexcept {
  return shape.packed ? problem.group() : 1;
}

// Rows of one such pack over the whole sequence.
template <typename Shape>
[[nodiscard]] std::int64_t packed_rows(const Shape& shape, const Problem& problem) noexcept {
  return problem.len_q * heads_a_block(shape, problem);
}

template <typename Shape>
[[nodiscard]] std::int64_t item_count(const Shape& shape, const Problem& problem) noexcept {
  return problem.batch * (problem.heads_q / heads_a_block(shape, problem)) *
         ceil_div(packed_rows(shape, problem), shape.tile_m) * shape.splits;
}

// The same as an expression of launch scalars.
template <typename Shape>
[[nodiscard]] std::string item_count_text(const Shape& shape, const Problem& problem) {
  const bool several = heads_a_block(shape, problem) > 1;
  return fmt::format("splits * batch * {} * ceil_div({}, {})", several ? "heads_kv" : "heads_q",
                     several ? "len_q * group" : "len_q", shape.tile_m);
}

// Calls visit(items, rows, KeyShare) for every row tile and split: `items` of the call, one a head pack and sequence,
// have these rows and this share of the keys. Cost: the size of the mask times the number of row tiles and splits.
template <typename Shape, typename Visit>
void for_each_share(const Shape& shape, const Problem& p, const Visit& visit) {
  const std::vector<Node> runs = visible_runs(p.mask.structure->root);
  const std::int64_t pack = heads_a_block(shape, p);
  const std::int64_t all_rows = packed_rows(shape, p);
  const std::int64_t items = p.batch * (p.heads_q / pack);
  for (std::int64_t first = 0; first < all_rows; first += shape.tile_m) {
    const std::int64_t rows = std::min(shape.tile_m, all_rows - first);
    const Interval queries{.first = first / pack + p.shift(), .last = (first + rows - 1) / pack + p.shift()};
    const std::vector<Interval> tiles = key_tile_runs(p, runs, shape.tile_n, queries);
    for (std::int64_t split = 0; split < shape.splits; ++split)
      visit(items, rows, key_share(p, tiles, shape.tile_n, shape.splits, split));
  }
}

}  // namespace attentune
