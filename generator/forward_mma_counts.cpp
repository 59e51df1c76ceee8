#include "generator/forward_mma_counts.h"

#include <cstdint>

#include "generator/forward_mma_shape.h"
#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/work_items.h"

namespace attentune {

MmaCounts mma_counts(const Problem& p, const Config& config) {
  const MmaShape shape = mma_shape(config);

  MmaCounts counts;
  for_each_share(shape, p, [&](const std::int64_t items, const std::int64_t rows, const KeyShare& share) {
    counts.key_tiles += items * share.tiles;
    counts.global_bytes_read += items * 2 * (rows * p.head_dim_qk + share.keys * (p.head_dim_qk + p.head_dim_v));
  });
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
