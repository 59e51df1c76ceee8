// Runs of keys against every key a mask shows.
#include "generator/mask_runs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/generator/expression_random.h"

using namespace attentune;

namespace {

std::vector<Interval> runs(const Mask& mask, Interval rows) {
  std::vector<Interval> result;
  for (const Node& run : visible_runs(mask.structure->root))
    result.push_back(key_run(run, mask.arguments, rows));
  return result;
}

}  // namespace

TEST_CASE("runs of masks written by hand") {
  const auto one = runs(parse_mask("causal()&window(3,0)"), {.first = 10, .last = 12});
  REQUIRE(one.size() == 1);
  CHECK(one[0].first == 7);
  CHECK(one[0].last == 12);

  const auto two = runs(parse_mask("causal()&(window(3,0)|sink(4))"), {.first = 10, .last = 12});
  REQUIRE(two.size() == 2);
  CHECK(two[0].first == 7);
  CHECK(two[0].last == 12);
  CHECK(two[1].first == 0);
  CHECK(two[1].last == 3);

  const auto all = runs(Mask(), {.first = 0, .last = 0});
  REQUIRE(all.size() == 1);
  CHECK(all[0].first == 0);
  CHECK(all[0].last >= 1'000'000'000);
}

TEST_CASE("every key a row sees lies in a run, and there are at most four") {
  std::mt19937_64 random(11);
  for (int k = 0; k < 400; ++k) {
    const Mask mask = testing::random_mask(random, 6, 9);
    CAPTURE(to_text(mask));
    const Interval rows{.first = static_cast<std::int64_t>(random() % 30) - 10, .last = 0};
    const Interval tile{.first = rows.first, .last = rows.first + static_cast<std::int64_t>(random() % 9)};
    const std::vector<Interval> found = runs(mask, tile);
    CHECK(!found.empty());
    CHECK(found.size() <= max_key_runs);
    for (std::int64_t i = tile.first; i <= tile.last; ++i) {
      for (std::int64_t j = 0; j < 40; ++j) {
        const bool inside = std::any_of(found.begin(), found.end(),
                                        [j](const Interval& run) { return run.first <= j && j <= run.last; });
        if (visible(mask, i, j, 0))
          REQUIRE(inside);
      }
    }
  }
}

TEST_CASE("a mask of one row and few terms has runs without hidden keys") {
  for (const char* text : {"causal()", "window(5,2)", "causal()&(window(5,0)|sink(3))", "window(2,1)|sink(4)",
                           "(causal()|sink(9))&(window(4,4)|sink(2))"}) {
    CAPTURE(text);
    const Mask mask = parse_mask(text);
    for (std::int64_t i = -3; i < 30; ++i) {
      for (const Interval& run : runs(mask, {.first = i, .last = i})) {
        for (std::int64_t j = std::max<std::int64_t>(run.first, 0); j <= std::min<std::int64_t>(run.last, 50); ++j)
          CHECK(visible(mask, i, j, 0));
      }
    }
  }
}
