// Tile classes against every key of every small tile.
#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>

#include "generator/expression.h"
#include "tests/generator/expression_random.h"

namespace attentune {
namespace {

TileClass counted(const Mask& mask, Interval i, Interval j, std::int64_t shift) {
  bool some = false;
  bool every = true;
  for (std::int64_t row = i.first; row <= i.last; ++row) {
    for (std::int64_t key = j.first; key <= j.last; ++key) {
      const bool seen = visible(mask, row, key, shift);
      some = some || seen;
      every = every && seen;
    }
  }
  if (every)
    return TileClass::full;
  return some ? TileClass::partial : TileClass::empty;
}

template <class Check>
void for_every_tile(std::int64_t longest, const Check& check) {
  for (std::int64_t i = 0; i < longest; ++i) {
    for (std::int64_t i_last = i; i_last < longest; ++i_last) {
      for (std::int64_t j = 0; j < longest; ++j) {
        for (std::int64_t j_last = j; j_last < longest; ++j_last)
          check(Interval{i, i_last}, Interval{j, j_last});
      }
    }
  }
}

TEST_CASE("a single helper is classed exactly") {
  for (const char* text : {"all", "causal()", "window(0,0)", "window(2,0)", "window(0,2)", "window(1,3)", "window(9,9)",
                           "window(9223372036854775807,0)", "sink(0)", "sink(1)", "sink(3)", "sink(6)", "sink(99)"}) {
    const Mask mask = parse_mask(text);
    CAPTURE(text);
    for (std::int64_t shift = -7; shift <= 7; ++shift) {
      for_every_tile(6, [&](Interval i, Interval j) {
        if (classify(mask, i, j, shift) != counted(mask, i, j, shift)) {
          FAIL("shift ", shift, " rows ", i.first, "..", i.last, " keys ", j.first, "..", j.last);
        }
      });
    }
  }
}

TEST_CASE("no mask claims empty or full wrongly") {
  std::mt19937_64 random(7);
  std::int64_t tiles = 0;
  std::int64_t exact = 0;
  for (int k = 0; k < 1500; ++k) {
    const Mask mask = testing::random_mask(random, 4, 6);
    const std::string text = to_text(mask);
    CAPTURE(text);
    const std::int64_t shift = testing::random_number(random, -6, 6);
    for_every_tile(5, [&](Interval i, Interval j) {
      const TileClass claimed = classify(mask, i, j, shift);
      const TileClass truth = counted(mask, i, j, shift);
      ++tiles;
      exact += claimed == truth ? 1 : 0;
      if (claimed != truth && claimed != TileClass::partial) {
        FAIL("shift ", shift, " rows ", i.first, "..", i.last, " keys ", j.first, "..", j.last);
      }
    });
  }
  // Sharpness is what makes skipping worth it; these tiles are the hardest there are, of 1 to 25 keys.
  CHECK(static_cast<double>(exact) > 0.97 * static_cast<double>(tiles));
}

TEST_CASE("the masks people use skip and fill every tile they can") {
  for (const char* text : {"causal()", "causal()&window(200,0)", "window(200,100)", "causal()&(window(200,0)|sink(4))",
                           "window(200,0)|sink(4)&causal()"}) {
    const Mask mask = parse_mask(text);
    CAPTURE(text);
    for (const std::int64_t shift : {std::int64_t{0}, std::int64_t{37}, std::int64_t{-100}}) {
      for (std::int64_t i = 0; i < 512; i += 64) {
        for (std::int64_t j = 0; j < 512; j += 32) {
          const Interval rows{i, i + 63};
          const Interval keys{j, j + 31};
          CHECK(classify(mask, rows, keys, shift) == counted(mask, rows, keys, shift));
        }
      }
    }
  }
}

}  // namespace
}  // namespace attentune
