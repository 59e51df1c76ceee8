// Blocks that share keys: what it takes, when it helps, and at lengths that a Config was not chosen for.
#include "generator/splits.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "generator/forward_mma.h"
#include "generator/forward_wgmma.h"
#include "generator/integer.h"

using namespace attentune;

namespace {

const ForwardMma forward_mma;
const ForwardWgmma forward_wgmma;
const Arch hopper = gpu_arch("sm_90a");
const Problem decode = parse_problem("dtype=bf16 heads=32/8 head_dim=128 seq=1/8192");
const Problem prefill = parse_problem("dtype=bf16 heads=32/8 head_dim=128 seq=8192");

std::int64_t splits_of(const Config& config) { return config.integer("splits"); }

}  // namespace

TEST_CASE("shares cover a row tile's key tiles, each once") {
  const Problem p = parse_problem("dtype=bf16 heads=1 head_dim=64 seq=1/1000");
  // Tiles 2 to 4 and 7 to 15, the last of 40 keys.
  const std::vector<Interval> runs{{.first = 2, .last = 5}, {.first = 7, .last = 16}};
  for (const std::int64_t splits : split_counts) {
    KeyShare sum;
    for (std::int64_t split = 0; split < splits; ++split) {
      const KeyShare share = key_share(p, runs, 64, splits, split);
      CHECK(share.tiles <= ceil_div(14, splits));
      sum.tiles += share.tiles;
      sum.keys += share.keys;
    }
    CHECK(sum.tiles == 12);
    CHECK(sum.keys == 3 * 64 + 8 * 64 + 40);
  }
  CHECK(key_share(p, {}, 64, 2, 1).tiles == 0);
}

TEST_CASE("one split takes nothing") {
  CHECK(partials_bytes(decode, 1) == 0);
  CHECK(split_traffic(decode, 1).read == 0);
  CHECK(split_traffic(decode, 1).written == 0);
  CHECK(split_clocks(decode, 1) == 0);
  CHECK(partials_bytes(decode, 4) == 32 * 4 * 129 * 4);
  CHECK(split_clocks(decode, 4) > split_clocks(decode, 2));
}

TEST_CASE("splits help where blocks are few and keys many") {
  const GpuArch& limits = limits_of(hopper);
  CHECK(splits_help(1, 1 << 20, 1, limits));
  CHECK(splits_help(4, 4 * limits.multiprocessors, 8, limits));
  CHECK_FALSE(splits_help(4, 4 * limits.multiprocessors + 1, 8, limits));
  CHECK_FALSE(splits_help(4, 16, 7, limits));
}

TEST_CASE("a Config chosen for other lengths gets splits that suit these") {
  for (const KernelFamily* const family : std::vector<const KernelFamily*>{&forward_mma, &forward_wgmma}) {
    CAPTURE(std::string(family->name()));
    const Config few_rows = family->default_config(decode, hopper);
    const Config many_rows = family->default_config(prefill, hopper);
    REQUIRE(splits_of(few_rows) > 1);
    REQUIRE(splits_of(many_rows) == 1);
    const Config long_decode = family->relaunched(prefill, hopper, few_rows);
    CHECK(splits_of(long_decode) == 1);
    CHECK(long_decode.compile_text() == few_rows.compile_text());
    CHECK(splits_of(family->relaunched(decode, hopper, many_rows)) > 1);
    // What was chosen stays where it is about as good as anything, as at its own lengths.
    CHECK(family->relaunched(decode, hopper, few_rows) == few_rows);
    CHECK(family->relaunched(prefill, hopper, many_rows) == many_rows);
    const Config half = few_rows.with("splits", std::to_string(splits_of(few_rows) / 2));
    const double gain = family->resources(decode, hopper, few_rows).cost / family->resources(decode, hopper, half).cost;
    CHECK((family->relaunched(decode, hopper, half) == half) == (gain >= 0.75));
  }
}
