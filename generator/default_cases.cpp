#include "generator/default_cases.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "generator/default_kernels.h"
#include "generator/integer.h"
#include "generator/source.h"

namespace attentune {
namespace {

constexpr std::int64_t items_a_block = 3;

std::int64_t stages(const Config& config) {
  const auto& choices = config.choices();
  const bool apart = std::ranges::any_of(choices, [](const Choice& choice) { return choice.name == "stages_k"; });
  return apart ? std::max(config.integer("stages_k"), config.integer("stages_v")) : config.integer("stages");
}

// Whether blocks are as many as the device computes at a time, and take items until none is left.
bool is_persistent(const Source& source) {
  return source.launches.front().grid[0].find("workers") != std::string::npos;
}

Problem shortened(Problem problem, const Config& config, bool persistent, int workers) {
  const std::int64_t heads_a_block = config.word("pack") == "yes" ? problem.group() : 1;
  const std::int64_t queries_a_block = ceil_div(config.integer("tile_m"), heads_a_block);
  const std::int64_t tile_n = config.integer("tile_n");
  problem.heads_q = 2 * problem.group();
  problem.heads_kv = 2;
  // Tiles are of 16 keys at least: the last is partial, and the length odd.
  problem.len_kv = tile_n * std::max(2 * stages(config) + 1, 2 * config.integer("splits")) - 7;
  if (problem.len_q > 1) {
    problem.len_q = (problem.mask.is_all() ? 2 * queries_a_block + 5 : problem.len_kv + queries_a_block + 2) | 1;
    problem.len_q += problem.len_q % queries_a_block == 0 ? 2 : 0;
  }
  // As many keys hidden as the model's window hides at the model's length.
  for (std::int64_t& argument : problem.mask.arguments)
    argument = std::min(argument, problem.len_kv / 3);
  if (persistent) {
    const std::int64_t items =
        problem.heads_q / heads_a_block * ceil_div(problem.len_q, queries_a_block) * config.integer("splits");
    problem.batch = ceil_div(items_a_block * workers, items);
  }
  return problem;
}

}  // namespace

std::vector<DefaultCase> default_cases(const Arch& arch, int workers) {
  std::vector<DefaultCase> cases;
  if (arch.is_host())
    return cases;
  for (DefaultKernel& kernel : default_kernels(arch)) {
    kernel.named.problem =
        shortened(std::move(kernel.named.problem), kernel.config, is_persistent(kernel.source), workers);
    cases.push_back({.named = std::move(kernel.named), .config = std::move(kernel.config)});
  }
  return cases;
}

}  // namespace attentune
