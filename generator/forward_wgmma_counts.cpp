#include "generator/forward_wgmma_counts.h"

#include <algorithm>
#include <vector>

#include "generator/forward_wgmma_shape.h"
#include "generator/integer.h"
#include "generator/key_tiles.h"
#include "generator/mask_runs.h"
#include "generator/splits.h"

namespace attentune {

WgmmaCounts wgmma_counts(const Problem& p, const Config& config) {
  const WgmmaShape shape = wgmma_shape(config);
  const BlockLayout layout = block_layout(shape, p);
  const std::vector<Node> runs = visible_runs(p.mask.structure->root);
  const std::int64_t pack = heads_a_block(shape, p);
  const std::int64_t all_rows = packed_rows(shape, p);
  const std::int64_t head_packs = p.batch * (p.heads_q / pack);

  WgmmaCounts counts;
  std::int64_t items_with_keys = 0;
  for (std::int64_t first = 0; first < all_rows; first += shape.tile_m) {
    const std::int64_t rows = std::min(shape.tile_m, all_rows - first);
    const Interval queries{.first = first / pack + p.shift(), .last = (first + rows - 1) / pack + p.shift()};
    const std::vector<Interval> tiles = key_tile_runs(p, runs, shape.tile_n, queries);
    for (std::int64_t split = 0; split < shape.splits; ++split) {
      const KeyShare share = key_share(p, tiles, shape.tile_n, shape.splits, split);
      if (share.tiles == 0)
        continue;
      items_with_keys += head_packs;
      counts.key_tiles += head_packs * share.tiles;
      counts.global_bytes_read += head_packs * 2 * (rows * p.head_dim_qk + share.keys * (p.head_dim_qk + p.head_dim_v));
    }
  }
  const std::int64_t steps = ceil_div(p.head_dim_qk, 16) + shape.tile_n / 16;
  counts.matrix_instructions = counts.key_tiles * shape.consumers() * steps;
  counts.copied_bytes = items_with_keys * layout.q_bytes + counts.key_tiles * (layout.k_bytes + layout.v_bytes);
  const std::int64_t qk_slabs = slabs(p.head_dim_qk);
  counts.tensor_copies = items_with_keys * qk_slabs + counts.key_tiles * (qk_slabs + slabs(p.head_dim_v));

  const SplitTraffic partials = split_traffic(p, shape.splits);
  counts.global_bytes_written = p.batch * p.heads_q * p.len_q * (2 * p.head_dim_v + (p.lse ? 4 : 0)) + partials.written;
  counts.global_bytes_read += partials.read;
  if (shape.splits > 1)
    return counts;
  const std::int64_t warps = item_count(shape, p) * (shape.tile_m / warp_rows);
  if (shape.store_by_copy)
    counts.tensor_stores = warps * slabs(p.head_dim_v);
  if (p.sink_logit)  // by the four lanes that hold a row of the tile
    counts.global_bytes_read += warps * warp_rows * 4 * 4;
  return counts;
}

}  // namespace attentune
