// The short problems of default kernels: the very Source of the workload, and lengths that reach every part of it.
#include "generator/default_cases.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "generator/integer.h"
#include "generator/kernel_family.h"
#include "generator/visible_keys.h"
#include "generator/workloads.h"

using namespace attentune;

namespace {

bool sees_keys(const Problem& problem, std::int64_t row) {
  return visible_keys(problem.mask, row, problem.shift(), problem.len_kv) > 0;
}

bool first_tile_sees_nothing(const Problem& problem, std::int64_t queries) {
  for (std::int64_t row = 0; row < std::min(queries, problem.len_q); ++row)
    if (sees_keys(problem, row))
      return false;
  return true;
}

void check_lengths(const Problem& problem, const Config& config, std::string_view family, int workers) {
  const std::int64_t tile_m = config.integer("tile_m");
  const std::int64_t tile_n = config.integer("tile_n");
  const bool hopper = family == "forward_wgmma";
  const std::int64_t heads = config.word("pack") == "yes" ? problem.group() : 1;
  const std::int64_t rows = problem.len_q * heads;
  CHECK(problem.heads_kv >= 2);
  CHECK(problem.len_kv % 2 == 1);
  CHECK(problem.len_kv % tile_n != 0);
  CHECK(ceil_div(problem.len_kv, tile_n) > 2 * config.integer(hopper ? "stages_k" : "stages"));
  CHECK(sees_keys(problem, problem.len_q - 1));
  if (problem.len_q > 1) {
    CHECK(problem.len_q % 2 == 1);
    CHECK(rows % tile_m != 0);
    CHECK(first_tile_sees_nothing(problem, ceil_div(tile_m, heads)) == !problem.mask.is_all());
  }
  if (hopper)
    CHECK(problem.batch * (problem.heads_q / heads) * ceil_div(rows, tile_m) * config.integer("splits") >= 3 * workers);
}

}  // namespace

TEST_CASE("default kernels are verified as they ship, at lengths that reach every part of them") {
  constexpr int workers = 132;
  for (const char* const target : {"sm_80", "sm_90a"}) {
    const Arch arch = gpu_arch(target);
    std::map<std::string, std::string> shipped;  // Source by workload
    for (const Workload& row : workloads()) {
      for (const auto& [name, problem] : workload_problems(row.model, std::nullopt, std::nullopt)) {
        if (!is_served(problem, arch))
          continue;
        const KernelFamily& family = family_for(problem, arch);
        shipped[name] = family.render(problem, arch, family.default_config(problem, arch)).text;
      }
    }
    std::set<std::string> verified;
    for (const auto& [named, config] : default_cases(arch, workers)) {
      CAPTURE(target);
      CAPTURE(named.name);
      CAPTURE(to_text(named.problem));
      CAPTURE(to_text(config));
      const KernelFamily& family = family_for(named.problem, arch, config);
      CHECK_FALSE(family.space(named.problem, arch).why_not(config).has_value());
      const std::string text = family.render(named.problem, arch, config).text;
      CHECK(text == shipped.at(named.name));
      CHECK(verified.insert(text).second);
      check_lengths(named.problem, config, family.name(), workers);
    }
    for (const auto& [name, text] : shipped)
      CHECK_MESSAGE(verified.contains(text), name);
  }
}

TEST_CASE("hosts have no cases of their own") {
  Arch host;
  host.name = "x86-64";
  CHECK(default_cases(host, 2).empty());
}
