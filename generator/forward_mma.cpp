#include "generator/forward_mma.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "generator/forward_mma_cost.h"
#include "generator/forward_mma_shape.h"
#include "generator/forward_mma_source.h"
#include "generator/gpu_refusal.h"
#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/text.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

constexpr std::int64_t max_group = 1 << 10;
// A few registers of spill may still win; more never does.
constexpr std::int64_t bearable_spill = 40;

constexpr std::array<int, 5> tiles_m{16, 32, 64, 128, 256};
constexpr std::array<int, 8> tiles_n{16, 32, 48, 64, 96, 128, 192, 256};
constexpr std::array<int, 3> stage_counts{1, 2, 3};
constexpr std::array<int, 4> block_counts{1, 2, 3, 4};

// Rules every point that renders keeps: they read nothing of the problem but its class, so that a Config found for one
// bucket renders for any other.
ConfigSpace class_space(const Problem& problem, const Arch& arch) {
  const GpuArch& limits = limits_of(arch);
  ConfigSpace space;
  space.add(
      {"tile_m", ChoiceKind::compile, words(tiles_m), "rows (queries, or queries x heads of a group) of a block"});
  space.add({"tile_n", ChoiceKind::compile, words(tiles_n), "keys a step takes"});
  space.add({"warps",
             ChoiceKind::compile,
             {"1x1", "1x2", "1x4", "1x8", "2x1", "2x2", "2x4", "4x1", "4x2", "8x1"},
             "warps along the rows x along the keys"});
  space.add({"stages", ChoiceKind::compile, words(stage_counts), "key tiles in shared memory at a time"});
  space.add({"q", ChoiceKind::compile, {"shared", "registers"}, "where Q stays"});
  space.add({"pack", ChoiceKind::compile,
             problem.group() > 1 ? std::vector<std::string>{"no", "yes"} : std::vector<std::string>{"no"},
             "does a block take all heads of a GQA group"});
  space.add({"swizzle", ChoiceKind::compile, {"xor", "padded"}, "how rows in shared memory avoid bank conflicts"});
  space.add({"min_blocks", ChoiceKind::compile, words(block_counts), "blocks an SM for which registers are kept free"});
  space.add({"splits", ChoiceKind::launch, words(split_counts), "blocks that share the keys of a row tile"});
  space.add({"order",
             ChoiceKind::launch,
             {"0", "1", "2"},
             "of blocks: 0 row tiles forward, 1 row tiles reversed, 2 heads first, row tiles reversed"});

  space.require("warps", "16 or 32 rows a warp, and keys in multiples of 16", [](const Config& config) {
    const std::string& warps = config.word("warps");
    const std::int64_t warps_m = warps.front() - '0';
    const std::int64_t warps_n = warps.back() - '0';
    const std::int64_t rows = config.integer("tile_m") / warps_m;
    return (rows == 16 || rows == 32) && config.integer("tile_n") % (16 * warps_n) == 0;
  });
  space.require(
      "min_blocks", "registers and shared memory for as many blocks an SM", [problem, limits](const Config& config) {
        const MmaShape shape = mma_shape(config);
        const std::int64_t shared = shared_bytes(shape, problem);
        const std::int64_t allowed = registers_allowed(shape, limits);
        return shared <= limits.shared_per_block && blocks_an_sm(shape, problem, limits, allowed) >= shape.min_blocks &&
               registers_needed(shape, problem) <= allowed + bearable_spill;
      });
  return space;
}

// What could help at these lengths.
bool is_worthwhile(const MmaShape& shape, const Problem& p) {
  const std::int64_t rows = std::max<std::int64_t>(1, packed_rows(shape, p));
  // A row tile is at most half empty, and small only where rows are few.
  const std::int64_t needed = align_up(std::min<std::int64_t>(rows, 256), 16);
  if (shape.tile_m >= 2 * needed && shape.tile_m > 16)
    return false;
  if (shape.tile_m < std::min<std::int64_t>(64, needed / 2))
    return false;
  // Warps along the keys are for few rows; two of them where O of a row is more than one warp can hold beside S.
  return shape.warps_n == 1 || rows <= 128 || (shape.warps_n == 2 && p.head_dim_v > 128);
}

bool splits_are_worthwhile(const MmaShape& shape, const Problem& p, const GpuArch& arch) {
  return splits_help(shape.splits, item_count(shape, p), ceil_div(p.len_kv, shape.tile_n), arch);
}

bool order_is_worthwhile(const MmaShape& shape) { return shape.splits == 1 || shape.order == BlockOrder::rows_forward; }

}  // namespace

std::optional<Refusal> ForwardMma::refusal(const Problem& problem, const Arch& arch) const {
  if (arch.is_host()) {
    return Refusal{"arch", arch.name, "forward_mma makes kernels for GPUs", "use --device gpu:0"};
  }
  if (auto reason = gpu_refusal(name(), problem))
    return reason;
  if (problem.group() > max_group) {
    return Refusal{"heads", pair_text(problem.heads_q, problem.heads_kv),
                   fmt::format("forward_mma serves at most {} query heads a KV head", max_group),
                   "split the query heads over several calls"};
  }
  return std::nullopt;
}

ConfigSpace ForwardMma::space(const Problem& problem, const Arch& arch) const {
  ConfigSpace space = class_space(problem, arch);
  const GpuArch& limits = limits_of(arch);
  space.require("pack", "a tile_m near the rows there are, and warps along keys only where rows are few",
                [problem](const Config& config) {
                  MmaShape shape{.tile_m = config.integer("tile_m"), .packed = config.word("pack") == "yes"};
                  shape.warps_n = config.word("warps").back() - '0';
                  return is_worthwhile(shape, problem);
                });
  space.require("splits", "few blocks and two key tiles each", [problem, limits](const Config& config) {
    return splits_are_worthwhile(mma_shape(config), problem, limits);
  });
  space.require("order", "splits=1", [](const Config& config) { return order_is_worthwhile(mma_shape(config)); });
  return space;
}

// The point of least predicted cost among those the compiler is sure to keep in registers.
Config ForwardMma::default_config(const Problem& problem, const Arch& arch) const {
  const GpuArch& limits = limits_of(arch);
  Config best;
  double least = 0;
  space(problem, arch).for_each([&](const Config& config) {
    const MmaShape shape = mma_shape(config);
    if (registers_needed(shape, problem) > registers_allowed(shape, limits))
      return true;
    const double clocks = predicted_clocks(shape, problem, limits);
    if (best.choices().empty() || clocks < least) {
      best = config;
      least = clocks;
    }
    return true;
  });
  if (best.choices().empty())
    throw Error(Status::internal, fmt::format("no Config of forward_mma fits {}", to_text(problem)));
  return best;
}

Resources ForwardMma::resources(const Problem& problem, const Arch& arch, const Config& config) const {
  const MmaShape shape = mma_shape(config);
  return {.workspace_bytes = static_cast<double>(partials_bytes(problem, shape.splits)),
          .shared_bytes = static_cast<double>(shared_bytes(shape, problem)),
          .registers = static_cast<double>(registers_needed(shape, problem)),
          .cost = predicted_clocks(shape, problem, limits_of(arch))};
}

Config ForwardMma::relaunched(const Problem& problem, const Arch& arch, const Config& config) const {
  return with_suitable_splits(*this, problem, arch, config, [&](const Config& other) {
    const MmaShape shape = mma_shape(other);
    return splits_are_worthwhile(shape, problem, limits_of(arch)) && order_is_worthwhile(shape);
  });
}

Source ForwardMma::render(const Problem& problem, const Arch& arch, const Config& config) const {
  if (const auto reason = refusal(problem, arch))
    throw RefusalError(*reason);
  if (const auto reason = class_space(problem, arch).why_not(config)) {
    throw RefusalError({"config", to_text(config), *reason, "use a point `attentune space` prints"});
  }
  return mma_source(problem, arch, config);
}

}  // namespace attentune
