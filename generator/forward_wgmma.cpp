#include "generator/forward_wgmma.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "generator/forward_wgmma_cost.h"
#include "generator/forward_wgmma_shape.h"
#include "generator/forward_wgmma_source.h"
#include "generator/gpu_refusal.h"
#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

constexpr std::array<int, 3> tiles_m{64, 128, 192};
constexpr std::array<int, 13> tiles_n{64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
constexpr std::array<int, 4> stage_counts{1, 2, 3, 4};

// Rules read nothing of the problem but its class, so that a Config found for one bucket renders for any other.
//
// What is no choice, and why. The split of registers: consumers have all that the block can give (register_split), and
// producers spill at no tile with the rest. Slabs as wide as their last columns need: the model gives what they would
// leave of shared memory 2.7 % at most, at head dim 136, and less than 1 % up to 128.
ConfigSpace class_space(const Problem& problem, const Arch& arch) {
  const GpuArch& limits = limits_of(arch);
  ConfigSpace space;
  space.add({"tile_m", ChoiceKind::compile, words(tiles_m), "rows of a block, 64 for each warpgroup that computes"});
  space.add({"pack", ChoiceKind::compile,
             problem.group() > 1 ? std::vector<std::string>{"no", "yes"} : std::vector<std::string>{"no"},
             "does a block take all heads of a GQA group"});
  space.add({"tile_n", ChoiceKind::compile, words(tiles_n), "keys a step takes"});
  space.add({"stages_k", ChoiceKind::compile, words(stage_counts), "tiles of K in shared memory at a time"});
  space.add({"stages_v", ChoiceKind::compile, words(stage_counts), "tiles of V in shared memory at a time"});
  space.add(
      {"overlap", ChoiceKind::compile, {"no", "yes"}, "softmax of a step while the step before multiplies P and V"});
  space.add({"turns", ChoiceKind::compile, {"no", "yes"}, "warpgroups multiply in turns"});
  // Late issues fewer instructions up to head dim 16, lazy 0.2 to 3.7 fewer a score from 64 to 256. A third place, just
  // before the next product (FlashAttention-3, above head dim 128), is within 0.06 of late there, and nothing spills.
  space.add({"rescale",
             ChoiceKind::compile,
             {"late", "lazy"},
             "of O after its last product, for every new maximum or only for one much larger"});
  space.add({"store", ChoiceKind::compile, {"threads", "copy"}, "of O: by threads, or by copies from shared memory"});
  space.add({"splits", ChoiceKind::launch, words(split_counts), "blocks that share the keys of a row tile"});
  space.add({"order",
             ChoiceKind::launch,
             {"0", "1", "2"},
             "of blocks: 0 row tiles forward, 1 row tiles reversed, 2 heads first, row tiles reversed"});

  // Q is copied in boxes of all heads of some queries, and O, where it is copied, in boxes of a warp's rows.
  space.require(
      "pack", fmt::format("a tile_m of whole groups of {} heads", problem.group()), [problem](const Config& config) {
        return config.integer("tile_m") % heads_a_block(WgmmaShape{.packed = config.word("pack") == "yes"}, problem) ==
               0;
      });
  space.require("store", fmt::format("pack=no, or a group whose heads divide {} rows", warp_rows),
                [problem](const Config& config) {
                  return config.word("store") == "threads" ||
                         warp_rows % heads_a_block(wgmma_shape(config), problem) == 0;
                });
  space.require("tile_n", "more registers for S, P and O than a consumer has", [problem](const Config& config) {
    const WgmmaShape shape{.tile_m = config.integer("tile_m"), .tile_n = config.integer("tile_n")};
    return consumer_registers_needed(shape, problem) <=
           std::min<std::int64_t>(255, register_split(shape.consumers()).consumer);
  });
  space.require("stages_v", "more shared memory than a block has", [problem, limits](const Config& config) {
    const WgmmaShape shape{.tile_m = config.integer("tile_m"),
                           .tile_n = config.integer("tile_n"),
                           .stages_k = config.integer("stages_k"),
                           .stages_v = config.integer("stages_v")};
    return block_layout(shape, problem).bytes <= limits.shared_per_block;
  });
  space.require("store", "more shared memory than a block has", [problem, limits](const Config& config) {
    return block_layout(wgmma_shape(config), problem).bytes <= limits.shared_per_block;
  });
  space.require("turns", "two consumer warpgroups: a tile_m above 64",
                [](const Config& config) { return config.word("turns") == "no" || config.integer("tile_m") > 64; });
  return space;
}

bool splits_are_worthwhile(const WgmmaShape& shape, const Problem& p, const GpuArch& arch) {
  return splits_help(shape.splits, item_count(shape, p), ceil_div(p.len_kv, shape.tile_n), arch);
}

}  // namespace

std::optional<Refusal> ForwardWgmma::refusal(const Problem& problem, const Arch& arch) const {
  if (arch.is_host() || !limits_of(arch).wgmma) {
    return Refusal{"arch", arch.name, "forward_wgmma needs the units of sm_90a", "use another kernel family"};
  }
  return gpu_refusal(name(), problem);
}

ConfigSpace ForwardWgmma::space(const Problem& problem, const Arch& arch) const {
  ConfigSpace space = class_space(problem, arch);
  const std::int64_t keys = std::max<std::int64_t>(1, problem.len_kv);
  space.require("pack", "rows that fill tile_m", [problem](const Config& config) {
    const WgmmaShape shape{.tile_m = config.integer("tile_m"), .packed = config.word("pack") == "yes"};
    return shape.tile_m <= align_up(std::max<std::int64_t>(1, packed_rows(shape, problem)), 64);
  });
  space.require("tile_n", "keys that fill it",
                [keys](const Config& config) { return config.integer("tile_n") <= align_up(keys, 64); });
  // More tiles of one kind than of the other help little: both are taken at the same rate.
  space.require("stages_v", "a stages_k no further than one from it", [](const Config& config) {
    return std::abs(config.integer("stages_k") - config.integer("stages_v")) <= 1;
  });
  // With splits partial O goes to the workspace: its place in shared memory would lie idle.
  space.require("splits", "few blocks, two key tiles each, and store=threads",
                [problem, limits = limits_of(arch)](const Config& config) {
                  const WgmmaShape shape = wgmma_shape(config);
                  return splits_are_worthwhile(shape, problem, limits) && (shape.splits == 1 || !shape.store_by_copy);
                });
  // Under a mask items differ in length; the longest begin first. Splits are for so few items that all begin at once.
  const std::string senseless = problem.mask.is_all() ? "1" : "0";
  space.require("order", problem.mask.is_all() ? "a mask" : "a problem without a mask",
                [senseless](const Config& config) { return config.word("order") != senseless; });
  space.require("order", "splits=1",
                [](const Config& config) { return config.word("order") != "2" || config.integer("splits") == 1; });
  return space;
}

// The point of least predicted cost; of equals, one with the fewest instructions a score, and two stages rather than
// one: a latency longer than predicted costs it less.
Config ForwardWgmma::default_config(const Problem& problem, const Arch& arch) const {
  const GpuArch& limits = limits_of(arch);
  Config best;
  std::tuple<double, double, int> least;
  space(problem, arch).for_each([&](const Config& config) {
    const WgmmaShape shape = wgmma_shape(config);
    const std::tuple cost{predicted_clocks(shape, problem, limits), issue_slots_a_score(shape, problem),
                          (shape.stages_k > 1 ? 0 : 1) + (shape.stages_v > 1 ? 0 : 1)};
    if (best.choices().empty() || cost < least) {
      best = config;
      least = cost;
    }
    return true;
  });
  if (best.choices().empty())
    throw Error(Status::internal, fmt::format("no Config of forward_wgmma fits {}", to_text(problem)));
  return best;
}

Resources ForwardWgmma::resources(const Problem& problem, const Arch& arch, const Config& config) const {
  const WgmmaShape shape = wgmma_shape(config);
  return {.workspace_bytes = static_cast<double>(partials_bytes(problem, shape.splits)),
          .shared_bytes = static_cast<double>(block_layout(shape, problem).bytes),
          .registers = static_cast<double>(consumer_registers_needed(shape, problem)),
          .register_budget = static_cast<double>(register_split(shape.consumers()).consumer),
          .issue_slots = issue_slots_a_score(shape, problem),
          .cost = predicted_clocks(shape, problem, limits_of(arch))};
}

Config ForwardWgmma::relaunched(const Problem& problem, const Arch& arch, const Config& config) const {
  return with_suitable_splits(*this, problem, arch, config, [&](const Config& other) {
    return splits_are_worthwhile(wgmma_shape(other), problem, limits_of(arch));
  });
}

Source ForwardWgmma::render(const Problem& problem, const Arch& arch, const Config& config) const {
  if (const auto reason = refusal(problem, arch))
    throw RefusalError(*reason);
  if (const auto reason = class_space(problem, arch).why_not(config)) {
    throw RefusalError({"config", to_text(config), *reason, "use a point `attentune space` prints"});
  }
  return wgmma_source(problem, arch, config);
}

}  // namespace attentune
