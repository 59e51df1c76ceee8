// What `attentune verify --all` reaches with the default Configs, told without running it.
#include "tools/attentune/covering_list.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/forward_mma_shape.h"
#include "generator/forward_wgmma_shape.h"
#include "generator/integer.h"
#include "generator/kernel_family.h"
#include "generator/visible_keys.h"
#include "generator/work_items.h"

using namespace attentune;

namespace {

constexpr std::int64_t multiprocessors = 2;  // of a simulator that was not told otherwise

// What of a default kernel its lengths reach. Blocks of forward_mma compute one item each, those of forward_wgmma as
// many as their share.
struct Lengths {
  std::int64_t items = 0;        // row tiles of all heads
  std::int64_t rows_a_tile = 0;  // queries
  std::int64_t tile_n = 0;
  std::int64_t stages = 0;
};

Lengths lengths(const Problem& problem, const KernelFamily& family, const Config& config) {
  if (family.name() == "forward_mma") {
    const MmaShape shape = mma_shape(config);
    return {.items = item_count(shape, problem),
            .rows_a_tile = ceil_div(shape.tile_m, heads_a_block(shape, problem)),
            .tile_n = shape.tile_n,
            .stages = shape.stages};
  }
  const WgmmaShape shape = wgmma_shape(config);
  return {.items = item_count(shape, problem),
          .rows_a_tile = ceil_div(shape.tile_m, heads_a_block(shape, problem)),
          .tile_n = shape.tile_n,
          .stages = std::max(shape.stages_k, shape.stages_v)};
}

// Under causal masks, which hide all keys from the first rows first.
bool first_rows_see_nothing(const Problem& problem, std::int64_t rows) {
  if (problem.len_q < rows)
    return false;
  for (std::int64_t row = 0; row < rows; ++row)
    if (visible_keys(problem.mask, row, problem.shift(), problem.len_kv) > 0)
      return false;
  return true;
}

bool reaches_all(const Problem& problem, const Lengths& lengths) {
  return lengths.items >= 3 * multiprocessors && problem.heads_q >= 2 && problem.heads_kv >= 2 &&
         first_rows_see_nothing(problem, lengths.rows_a_tile) &&
         ceil_div(problem.len_kv, lengths.tile_n) > 2 * lengths.stages && problem.len_q % 2 == 1 &&
         problem.len_kv % 2 == 1 && problem.head_dim_qk % 16 != 0 && problem.head_dim_v % 16 != 0;
}

// Lines of the list that do, as their family's default.
std::vector<std::string> lines_reaching_all(const Arch& arch, std::string_view family) {
  std::vector<std::string> lines;
  for (const auto& [name, problem] : covering_list()) {
    if (!is_served(problem, arch))
      continue;
    const KernelFamily& serving = family_for(problem, arch);
    if (serving.name() != family)
      continue;
    if (reaches_all(problem, lengths(problem, serving, serving.default_config(problem, arch))))
      lines.push_back(to_text(problem));
  }
  return lines;
}

}  // namespace

TEST_CASE("a problem of the covering list reaches every part of the default kernel, for each family of GPU kernels") {
  CHECK_FALSE(lines_reaching_all(gpu_arch("sm_80"), "forward_mma").empty());
  CHECK_FALSE(lines_reaching_all(gpu_arch("sm_90a"), "forward_wgmma").empty());
}

TEST_CASE("the list of a GPU ends with the default kernels of known models") {
  const std::size_t listed = covering_list().size();
  for (const char* const target : {"sm_80", "sm_90a"}) {
    const std::vector<CoveringCase> cases = covering_cases(gpu_arch(target), 132);
    REQUIRE(cases.size() > listed + 10);
    for (std::size_t n = 0; n < cases.size(); ++n)
      CHECK(cases[n].config.has_value() == (n >= listed));
  }
}
