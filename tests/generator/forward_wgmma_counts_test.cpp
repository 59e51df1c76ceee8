// Predicted counts against counts by hand.
#include "generator/forward_wgmma_counts.h"

#include <doctest/doctest.h>

#include <string>

using namespace attentune;

namespace {

WgmmaCounts counts(const std::string& problem, const std::string& config) {
  return wgmma_counts(parse_problem(problem), parse_config(config));
}

const std::string tile_128 =
    "tile_m=128 pack=no tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads";

}  // namespace

TEST_CASE("wgmma and copies of small calls, by hand") {
  // 2 row tiles by 3 key tiles; 8 steps of d_qk and 8 of keys, in 2 warpgroups; 2 slabs of Q, K and V each.
  CHECK(counts("dtype=bf16 heads=1 head_dim=128 seq=256/384 outputs=out,lse", tile_128) ==
        WgmmaCounts{.key_tiles = 6,
                    .matrix_instructions = 6 * 2 * 16,
                    .tensor_copies = 2 * 2 + 6 * 4,
                    .copied_bytes = 2 * 32768 + 6 * 65536,
                    .global_bytes_read = 256 * 256 + 2 * 384 * 512,
                    .global_bytes_written = 256 * (256 + 4)});

  // Causal with 130 queries on 150 keys: the second row tile has 2 rows. Row tiles see keys to 147 and to 149. d_qk of
  // 72 takes 5 steps and 2 slabs, d_v of 40 one slab; boxes are whole, what is read is not.
  CHECK(counts("dtype=f16 batch=2 heads=4/2 head_dim=72/40 seq=130/150 mask=causal()", tile_128) ==
        WgmmaCounts{.key_tiles = 8 * 4,
                    .matrix_instructions = 8 * 4 * 2 * (5 + 8),
                    .tensor_copies = 8 * (2 * 2 + 4 * 3),
                    .copied_bytes = 8 * (2 * 32768 + 4 * (32768 + 16384)),
                    .global_bytes_read = 8 * (130 * 144 + 2 * 150 * (144 + 80)),
                    .global_bytes_written = 8 * 130 * 80});

  // Stored by copies: 8 items of 8 warps, d_v of 40 in one slab; rows past the end count, they are left out in the
  // copy.
  const WgmmaCounts stored =
      counts("dtype=f16 batch=2 heads=4/2 head_dim=72/40 seq=130/150 mask=causal()",
             "tile_m=128 pack=no tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=copy");
  CHECK(stored.tensor_stores == 16 * 8);
  CHECK(stored.global_bytes_written == 8 * 130 * 80);

  // Rows without keys copy nothing, not even Q.
  CHECK(counts("dtype=f16 heads=2 head_dim=64 seq=300/0 outputs=out,lse", tile_128) ==
        WgmmaCounts{.global_bytes_written = 2 * 300 * (128 + 4)});
}

TEST_CASE("wgmma and copies of packed groups and split keys, by hand") {
  // 3 heads a group: 50 queries are 150 packed rows, 1 row tile of 192 for each of 2 KV heads. Causal with 50 queries
  // on 300 keys: all see keys to 299, in 3 tiles; 4 steps of d_qk and 8 of keys in 3 warpgroups.
  CHECK(
      counts("dtype=f16 heads=6/2 head_dim=64 seq=50/300 mask=causal()",
             "tile_m=192 pack=yes tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads") ==
      WgmmaCounts{.key_tiles = 2 * 3,
                  .matrix_instructions = 2 * 3 * 3 * (4 + 8),
                  .tensor_copies = 2 * (1 + 3 * 2),
                  .copied_bytes = 2 * (24576 + 3 * 2 * 16384),
                  .global_bytes_read = 2 * (150 * 128 + 300 * 256),
                  .global_bytes_written = 300 * 128});
  // 4 heads a group and copies: 8 queries of 4 heads are 32 rows, of a tile of 64.
  const WgmmaCounts stored =
      counts("dtype=f16 batch=3 heads=8/2 head_dim=64 seq=8/128",
             "tile_m=64 pack=yes tile_n=128 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=copy");
  CHECK(stored.tensor_stores == 3 * 2 * 4);
  CHECK(stored.tensor_copies == 3 * 2 * (1 + 2));

  // 5 key tiles in 2 splits, 3 and 2: Q is copied for each, K and V once. Partial results of a row are 64 + 1 floats;
  // the combining warp reads the 2 denominators of each row 32 times more, and the sink.
  const std::int64_t rows = 2 * 10;
  CHECK(counts("dtype=f16 heads=2 head_dim=64 seq=10/300 sink_logit=yes",
               "tile_m=64 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads | "
               "splits=2 order=0") ==
        WgmmaCounts{.key_tiles = 2 * 5,
                    .matrix_instructions = 2 * 5 * (4 + 4),
                    .tensor_copies = 2 * (2 + 5 * 2),
                    .copied_bytes = 2 * (2 * 8192 + 5 * 2 * 8192),
                    .global_bytes_read = 2 * (2 * 10 * 128 + 300 * 256) + rows * (2 * 4 * (65 + 32) + 32 * 4),
                    .global_bytes_written = rows * 128 + rows * 2 * 4 * 65});

  // Both: 4 heads a group and 10 queries are 40 rows of a tile of 64, for each of 2 KV heads and each split.
  const std::int64_t packed_rows = 8 * 10;
  CHECK(counts("dtype=f16 heads=8/2 head_dim=64 seq=10/300",
               "tile_m=64 pack=yes tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late store=threads | "
               "splits=2 order=0") ==
        WgmmaCounts{.key_tiles = 2 * 5,
                    .matrix_instructions = 2 * 5 * (4 + 4),
                    .tensor_copies = 2 * (2 + 5 * 2),
                    .copied_bytes = 2 * (2 * 8192 + 5 * 2 * 8192),
                    .global_bytes_read = 2 * (2 * 40 * 128 + 300 * 256) + packed_rows * 2 * 4 * (65 + 32),
                    .global_bytes_written = packed_rows * 128 + packed_rows * 2 * 4 * 65});
}
