// Masks and scores against the formulas of DESIGN section 4, written out again.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "generator/expression.h"

namespace attentune {
namespace {

TEST_CASE("helpers, for all small lengths") {
  constexpr std::int64_t longest = 7;
  for (std::int64_t len_q = 1; len_q <= longest; ++len_q) {
    for (std::int64_t len_kv = 1; len_kv <= longest; ++len_kv) {
      const std::int64_t shift = len_kv - len_q;
      for (std::int64_t i = 0; i < len_q; ++i) {
        for (std::int64_t j = 0; j < len_kv; ++j) {
          CHECK(visible(Mask(), i, j, shift));
          CHECK(visible(parse_mask("causal()"), i, j, shift) == (j <= i + shift));
          for (std::int64_t l = 0; l <= 3; ++l) {
            CHECK(visible(parse_mask("sink(" + std::to_string(l) + ")"), i, j, shift) == (j < l));
            for (std::int64_t r = 0; r <= 3; ++r) {
              const Mask window = parse_mask("window(" + std::to_string(l) + ',' + std::to_string(r) + ')');
              CHECK(visible(window, i, j, shift) == (i + shift - l <= j && j <= i + shift + r));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("& and |") {
  const Mask mask = parse_mask("causal()&(window(2,0)|sink(1))|sink(0)");
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 9; ++j) {
      CHECK(visible(mask, i, j, 0) == (j <= i && (i - 2 <= j || j < 1)));
    }
  }
}

TEST_CASE("causal is aligned bottom right") {
  const Mask causal = parse_mask("causal()");
  // One new row sees the whole cache.
  for (std::int64_t j = 0; j < 5; ++j)
    CHECK(visible(causal, 0, j, 4));
  // More rows than keys: the first rows see nothing, the last sees all.
  const std::int64_t shift = 3 - 5;
  for (std::int64_t j = 0; j < 3; ++j) {
    CHECK_FALSE(visible(causal, 0, j, shift));
    CHECK_FALSE(visible(causal, 1, j, shift));
    CHECK(visible(causal, 2, j, shift) == (j == 0));
    CHECK(visible(causal, 4, j, shift));
  }
}

TEST_CASE("a sliding window of W keys is window(W-1,0)") {
  const Mask window = parse_mask("window(3,0)");
  int seen = 0;
  for (std::int64_t j = 0; j < 20; ++j)
    seen += visible(window, 10, j, 0) ? 1 : 0;
  CHECK(seen == 4);
}

TEST_CASE("the widest window does not overflow") {
  Mask mask = parse_mask("window(9223372036854775807,9223372036854775807)");
  constexpr std::int64_t longest = (std::int64_t{1} << 62) - 1;
  for (const std::int64_t width : {mask.arguments[0], std::numeric_limits<std::int64_t>::max()}) {
    mask.arguments = {width, width};
    CHECK(visible(mask, 0, longest - 1, longest - 1));
    CHECK(visible(mask, longest - 1, 0, 0));
    CHECK(visible(mask, longest - 1, 0, 1 - longest));
    CHECK(classify(mask, {0, longest - 1}, {0, longest - 1}, 0) == TileClass::full);
  }
  mask.arguments = {0, std::numeric_limits<std::int64_t>::max()};
  CHECK_FALSE(visible(mask, longest - 1, 0, 0));
  CHECK(visible(mask, 0, longest - 1, 0));
}

TEST_CASE("scores") {
  CHECK(apply(Score(), 1.25) == 1.25);
  const Score cap = parse_score("softcap(30)");
  CHECK(apply(cap, 0) == 0);
  CHECK(apply(cap, 30) == doctest::Approx(30 * std::tanh(1.0)).epsilon(1e-15));
  CHECK(apply(cap, 1e-9) == doctest::Approx(1e-9).epsilon(1e-15));
  CHECK(apply(cap, std::numeric_limits<double>::infinity()) == 30);
  CHECK(apply(cap, -std::numeric_limits<double>::infinity()) == -30);
  CHECK(std::isnan(apply(cap, std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
}  // namespace attentune
