#include "generator/forward_wgmma_counts.h"

#include <algorithm>
#include <vector>

#include "generator/forward_wgmma_shape.h"
#include "generator/integer.h"
#include "generator/key_tiles.h"
#include "generator/mask_runs.h"

namespace attentune {

WgmmaCounts wgmma_counts(const Problem& p, const Config& config) {
  const WgmmaShape shape = wgmma_shape(config);
  const BlockLayout layout = block_layout(shape, p);
  const std::vector<Node> runs = visible_runs(p.mask.structure->root);
  const std::int64_t heads = p.batch * p.heads_q;

  WgmmaCounts counts;
  std::int64_t items_with_keys = 0;
  for (std::int64_t first = 0; first < p.len_q; first += shape.tile_m) {
    const std::int64_t rows = std::min(shape.tile_m, p.len_q - first);
    const Interval queries{.first = first + p.shift(), .last = first + rows - 1 + p.shift()};
    std::int64_t tiles = 0;
    std::int64_t keys = 0;
    for (const Interval& run : key_tile_runs(p, runs, shape.tile_n, queries)) {
      tiles += run.last - run.first;
      keys += std::min(run.last * shape.tile_n, p.len_kv) - run.first * shape.tile_n;
    }
    if (tiles == 0)
      continue;
    items_with_keys += heads;
    counts.key_tiles += heads * tiles;
    counts.global_bytes_read += heads * 2 * (rows * p.head_dim_qk + keys * (p.head_dim_qk + p.head_dim_v));
  }
  const std::int64_t steps = ceil_div(p.head_dim_qk, 16) + shape.tile_n / 16;
  counts.matrix_instructions = counts.key_tiles * shape.consumers() * steps;
  counts.copied_bytes = items_with_keys * layout.q_bytes + counts.key_tiles * (layout.k_bytes + layout.v_bytes);
  const std::int64_t qk_slabs = slabs(p.head_dim_qk);
  counts.tensor_copies = items_with_keys * qk_slabs + counts.key_tiles * (qk_slabs + slabs(p.head_dim_v));
  if (shape.store_by_copy)  // by each warp of 16 rows
    counts.tensor_stores = heads * ceil_div(p.len_q, shape.tile_m) * (shape.tile_m / 16) * slabs(p.head_dim_v);
  if (p.sink_logit)  // by the four lanes that hold a row of the tile
    counts.global_bytes_read += heads * ceil_div(p.len_q, shape.tile_m) * shape.tile_m * 4 * 4;
  counts.global_bytes_written = heads * p.len_q * (2 * p.head_dim_v + (p.lse ? 4 : 0));
  return counts;
}

}  // namespace attentune
