// Predicted counts against counts by hand, and against walking every tile.
#include "generator/forward_mma_counts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "generator/expression.h"
#include "tests/generator/expression_random.h"

using namespace attentune;

namespace {

MmaCounts counts(const std::string& problem, const std::string& config) {
  return mma_counts(parse_problem(problem), parse_config(config));
}

}  // namespace

TEST_CASE("counts of small calls, by hand") {
  // 4 row tiles by 2 key tiles: 16 x 16 x 16 takes 2 instructions.
  const MmaCounts all = counts("dtype=bf16 heads=1 head_dim=16 seq=64/32 outputs=out,lse",
                               "tile_m=16 tile_n=16 warps=1x1 stages=1 q=shared pack=no swizzle=xor min_blocks=1");
  CHECK(all.key_tiles == 8);
  CHECK(all.matrix_instructions == 8 * (2 + 2));
  CHECK(all.global_bytes_read == 64 * 32 + 4 * 32 * (32 + 32));
  CHECK(all.global_bytes_written == 64 * (32 + 4));

  // Causal, 40 queries and keys: row tiles of 16 see 1, 2 and 3 key tiles; the last one has 8 rows and 8 keys.
  const MmaCounts causal = counts("dtype=bf16 heads=1 head_dim=24/8 seq=40 mask=causal()",
                                  "tile_m=16 tile_n=16 warps=1x1 stages=1 q=shared pack=no swizzle=xor min_blocks=1");
  CHECK(causal.key_tiles == 6);
  CHECK(causal.matrix_instructions == 6 * (2 * 2 + 1));
  CHECK(causal.global_bytes_read == 40 * 48 + (16 + 32 + 40) * (48 + 16));
  CHECK(causal.global_bytes_written == 40 * 16);

  // No key, but a sink each row looks up in four lanes.
  const MmaCounts empty = counts("dtype=f16 heads=2 head_dim=160/8 seq=50/0 sink_logit=yes",
                                 "tile_m=64 tile_n=16 warps=4x1 stages=2 q=shared pack=no swizzle=padded min_blocks=1");
  CHECK(empty.key_tiles == 0);
  CHECK(empty.global_bytes_read == 2 * 50 * (320 + 16));
}

TEST_CASE("splits share the tiles and add their partial results") {
  const std::string problem = "dtype=f16 heads=4/2 head_dim=64 seq=2/200 outputs=out,lse";
  const std::string config = "tile_m=16 tile_n=32 warps=1x2 stages=1 q=shared pack=yes swizzle=xor min_blocks=1";
  const MmaCounts whole = counts(problem, config + " | splits=1 order=0");
  const MmaCounts split = counts(problem, config + " | splits=4 order=0");
  CHECK(whole.key_tiles == 2 * 7);
  CHECK(split.key_tiles == whole.key_tiles);
  CHECK(split.matrix_instructions == whole.matrix_instructions);
  const std::int64_t rows = 4 * 2;
  CHECK(split.global_bytes_written == whole.global_bytes_written + rows * 4 * (64 + 1) * 4);
  // Q once a split more, the partial results, and four denominators: each by a lane of its own, then by all 32.
  CHECK(split.global_bytes_read ==
        whole.global_bytes_read + 3 * rows * 128 + rows * 4 * 64 * 4 + rows * (1 + 32) * 4 * 4);
}

TEST_CASE("visited tiles are those a row sees something of, and few others") {
  std::mt19937_64 random(3);
  for (int k = 0; k < 200; ++k) {
    Problem p = parse_problem("dtype=bf16 heads=1 head_dim=16 seq=50/90");
    p.len_q = static_cast<std::int64_t>(random() % 60) + 1;
    p.len_kv = static_cast<std::int64_t>(random() % 100);
    p.mask = testing::random_mask(random, 3, 40);
    CAPTURE(to_text(p));
    std::int64_t least = 0;
    for (std::int64_t i = 0; i < p.len_q; i += 16) {
      for (std::int64_t j = 0; j < p.len_kv; j += 16) {
        bool seen = false;
        for (std::int64_t r = i; r < std::min(i + 16, p.len_q); ++r) {
          for (std::int64_t c = j; c < std::min(j + 16, p.len_kv); ++c)
            seen = seen || visible(p.mask, r, c, p.shift());
        }
        least += seen ? 1 : 0;
      }
    }
    const std::int64_t row_tiles = (p.len_q + 15) / 16;
    const std::int64_t key_tiles = (p.len_kv + 15) / 16;
    const std::int64_t visited =
        mma_counts(p, parse_config("tile_m=16 tile_n=16 warps=1x1 stages=1 q=shared pack=no swizzle=xor min_blocks=1"))
            .key_tiles;
    CHECK(visited >= least);
    CHECK(visited <= row_tiles * key_tiles);
  }
}
