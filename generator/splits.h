// Splits: several blocks share the keys of a row tile, each leaves partial O and LSE in the workspace, and one more
// launch merges them (templates/cuda/store_partial.cuh, combine_splits.cuh). What that takes beside the forward kernel,
// for every family of GPU kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/expression.h"
#include "generator/kernel_family.h"
#include "generator/launch_rule.h"
#include "generator/problem.h"

namespace attentune {

// What the spaces offer.
inline constexpr int split_counts[] = {1, 2, 4, 8, 16, 32, 64};

// Expressions of the launch scalars: with splits=1 there is nothing to combine, so a workspace of no bytes and a launch
// of no blocks.
[[nodiscard]] std::vector<WorkspaceSlice> partials_workspace(const Problem& problem);
[[nodiscard]] LaunchRule combine_launch(const Problem& problem);

[[nodiscard]] std::int64_t partials_bytes(const Problem& problem, std::int64_t splits) noexcept;

// Bytes that the lanes of attentune_combine request, and those of partial results written for it; 0 with one split.
struct SplitTraffic {
  std::int64_t read = 0;
  std::int64_t written = 0;
};
[[nodiscard]] SplitTraffic split_traffic(const Problem& problem, std::int64_t splits) noexcept;

// Predicted clocks that partial results and the second launch add; 0 with one split.
[[nodiscard]] double split_clocks(const Problem& problem, std::int64_t splits) noexcept;

// Could as many splits help? Not where they make more than four blocks a multiprocessor, nor where one would have less
// than two key tiles. `blocks` counts those of all splits.
[[nodiscard]] bool splits_help(std::int64_t splits, std::int64_t blocks, std::int64_t key_tiles, const GpuArch& arch);

// KernelFamily::relaunched() by splits: those of `config` where they help, and no others are predicted to take less
// than three quarters of the time; else those predicted to be the fastest. `help` says of a Config whether its splits
// do.
[[nodiscard]] Config with_suitable_splits(const KernelFamily& family, const Problem& problem, const Arch& arch,
                                          const Config& config, const std::function<bool(const Config&)>& help);

// Tiles and keys of share `split` of `splits` of a row tile's key tiles (key_tile_runs), as part_of() of
// templates/cuda/tile_sequence.cuh: an equal share of the tiles from the first to the last.
struct KeyShare {
  std::int64_t tiles = 0;
  std::int64_t keys = 0;
};
[[nodiscard]] KeyShare key_share(const Problem& problem, std::span<const Interval> runs, std::int64_t tile_n,
                                 std::int64_t splits, std::int64_t split);

}  // namespace attentune
