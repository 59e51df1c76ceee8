#include "generator/forward_mma_counts.h"

#include <algorithm>
#include <vector>

#include "generator/forward_mma_shape.h"
#include "generator/integer.h"
#include "generator/key_tiles.h"
#include "generator/mask_runs.h"
#include "generator/splits.h"

namespace attentune {
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
      const KeyShare share = key_share(p, tiles, shape.tile_n, shape.splits, split);
      counts.key_tiles += head_packs * share.tiles;
      counts.global_bytes_read += head_packs * 2 * (rows * p.head_dim_qk + share.keys * (p.head_dim_qk + p.head_dim_v));
    }
  }
  const std::int64_t keys_of_8 = shape.tile_n / 8;
  const std::int64_t a_tile =
      shape.tile_m / 16 * (keys_of_8 * ceil_div(p.head_dim_qk, 16) + keys_of_8 / 2 * (p.head_dim_v / 8));
  counts.matrix_instructions = counts.key_tiles * a_tile;

  const std::int64_t rows = p.batch * p.heads_q * p.len_q;
  const SplitTraffic partials = split_traffic(p, shape.splits);
  counts.global_bytes_written = rows * (2 * p.head_dim_v + (p.lse ? 4 : 0)) + partials.written;
  counts.global_bytes_read += partials.read;
  if (p.sink_logit && shape.splits == 1)  // by the four lanes that hold a row
    counts.global_bytes_read += rows * 4 * 4;
  return counts;
}

}  // namespace attentune
