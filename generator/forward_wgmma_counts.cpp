#include "generator/forward_wgmma_counts.h"

#include <cstdint>

#include "generator/forward_wgmma_shape.h"
#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/work_items.h"

namespace attentune {

WgmmaCounts wgmma_counts(const Problem& p, const Config& config) {
  const WgmmaShape shape = wgmma_shape(config);
  const BlockLayout layout = block_layout(shape, p);

  WgmmaCounts counts;
  std::int64_t items_with_keys = 0;
  for_each_share(shape, p, [&](const std::int64_t items, const std::int64_t rows, const KeyShare& share) {
    if (share.tiles == 0)
      return;
    items_with_keys += items;
    counts.key_tiles += items * share.tiles;
    counts.global_bytes_read += items * 2 * (rows * p.head_dim_qk + share.keys * (p.head_dim_qk + p.head_dim_v));
  });
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
