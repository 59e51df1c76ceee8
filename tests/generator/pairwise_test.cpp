#include "generator/pairwise.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "generator/forward_mma.h"
#include "generator/kernel_sample.h"

using namespace attentune;

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::set<std::pair<std::string, std::string>> pairs(const Rows& rows) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& row : rows) {
    for (std::size_t a = 0; a < row.size(); ++a) {
      for (std::size_t b = a + 1; b < row.size(); ++b)
        found.insert({std::to_string(a) + row[a], std::to_string(b) + row[b]});
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a few rows hold every pair") {
  // All rows over 5 columns of 4 values, but for those a rule forbids.
  Rows rows;
  for (int n = 0; n < 1024; ++n) {
    std::vector<std::string> row;
    for (int column = 0, rest = n; column < 5; ++column, rest /= 4)
      row.push_back(std::to_string(rest % 4));
    if (row[0] != row[1])
      rows.push_back(row);
  }
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Rows chosen;
    for (const std::size_t place : pairwise_cover(rows, seed, 1000))
      chosen.push_back(rows[place]);
    CHECK(pairs(chosen) == pairs(rows));
    CHECK(chosen.size() >= 16);
    CHECK(chosen.size() <= 32);
  }
  CHECK(pairwise_cover(rows, 1, 1000) == pairwise_cover(rows, 1, 1000));
  CHECK(pairwise_cover(rows, 1, 3).size() == 3);
  CHECK(pairwise_cover({}, 1, 3).empty());
}

TEST_CASE("a sample of forward_mma is served, of bounded size, and covers before its limit") {
  const ForwardMma family;
  for (const char* name : {"sm_80", "sm_86"}) {
    const Arch arch = gpu_arch(name);
    const std::vector<KernelSamplePoint> sample = kernel_sample(family, arch, 1, 120);
    CAPTURE(name);
    CHECK(sample.size() >= 80);
    CHECK(sample.size() < 120);  // nothing is left to cover
    std::set<std::string> tiles;
    for (const KernelSamplePoint& point : sample) {
      CHECK(!family.refusal(point.problem, arch).has_value());
      CHECK(!family.render(point.problem, arch, point.config).text.empty());
      tiles.insert(point.config.word("tile_m") + "x" + point.config.word("tile_n"));
    }
    CHECK(tiles.size() >= 20);
  }
}
