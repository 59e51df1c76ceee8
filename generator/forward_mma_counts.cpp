#include "generator/forward_mma_counts.h"

#include <algorithm>
#include <vector>

#include "generator/forward_mma_shape.h"
#include "generator/integer.h"
#include "generator/key_tiles.h"
#include "generator/mask_runs.h"

namespace attentune {
namespace {

// Tiles and keys of a block's key tile sequence.
struct Visited {
  std::int64_t tiles = 0;
  std::int64_t keys = 0;
};

// As part_of() of templates/cuda/tile_sequence.cuh: an equal share of the tiles from the first to the last.
Visited visited(const std::vector<Interval>& runs, const Problem& p, const MmaShape& shape, std::int64_t split) {
  if (runs.empty())
    return {};
  const std::int64_t begin = runs.front().first;
  const std::int64_t share = ceil_div(runs.back().last - begin, shape.splits);
  Visited sum;
  for (const Interval& run : runs) {
    const std::int64_t first = std::max(run.first, begin + split * share);
    const std::int64_t end = std::min(run.last, begin + (split + 1) * share);
    if (first >= end)
      continue;
    sum.tiles += end - first;
    sum.keys += std::min(end * shape.tile_n, p.len_kv) - first * shape.tile_n;
  }
  return sum;
}

}  // namespace

MmaCounts mma_counts(const Problem& p, const Config& config) {
  const MmaShape shape = mma_shape(config);
  const std::vector<Node> runs = visible_runs(p.mask.structure->root);
  const std::int64_t pack = heads_a_block(shape, p);
  const std::int64_t all_rows = packed_rows(shape, p);
  const std::int64_t head_packs = p.batch * (p.heads_q / pack);

  MmaCounts counts;
  for (std::int64_t first = 0; first < all_rows; first += shape.tile_m) {
    const std::int64_t rows = std::min(shape.tile_m, all_rows - first);
    const Interval queries{.first = first / pack + p.shift(), .last = (first + rows - 1) / pack + p.shift()};
    const std::vector<Interval> tiles = key_tile_runs(p, runs, shape.tile_n, queries);
    for (std::int64_t split = 0; split < shape.splits; ++split) {
      const Visited block = visited(tiles, p, shape, split);
      counts.key_tiles += head_packs * block.tiles;
      counts.global_bytes_read += head_packs * 2 * (rows * p.head_dim_qk + block.keys * (p.head_dim_qk + p.head_dim_v));
    }
  }
  const std::int64_t keys_of_8 = shape.tile_n / 8;
  const std::int64_t a_tile =
      shape.tile_m / 16 * (keys_of_8 * ceil_div(p.head_dim_qk, 16) + keys_of_8 / 2 * (p.head_dim_v / 8));
  counts.matrix_instructions = counts.key_tiles * a_tile;

  const std::int64_t rows = p.batch * p.heads_q * p.len_q;
  counts.global_bytes_written = rows * (2 * p.head_dim_v + (p.lse ? 4 : 0));
  if (shape.splits == 1) {
    counts.global_bytes_read += p.sink_logit ? rows * 4 * 4 : 0;  // by the four lanes that hold a row
  } else {
    counts.global_bytes_written += rows * shape.splits * 4 * (p.head_dim_v + 1);
    // attentune_combine: a row's warp reads all denominators once, a lane a split, then every lane all, and the sink.
    counts.global_bytes_read += rows * (shape.splits * 4 * (p.head_dim_v + 1 + 32) + (p.sink_logit ? 32 * 4 : 0));
  }
  return counts;
}

}  // namespace attentune
