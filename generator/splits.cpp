#include "generator/splits.h"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "generator/integer.h"

namespace attentune {
namespace {

constexpr double launch_clocks = 6000;  // another launch
constexpr double memory_bytes = 1500;   // a clock, to or from device memory

// What was measured at other lengths yields to a prediction that says so much less.
constexpr double worthwhile_share = 0.75;

constexpr std::int64_t rows_a_block = 4;  // of attentune_combine: a warp each

std::int64_t row_count(const Problem& p) { return p.batch * p.heads_q * p.len_q; }

}  // namespace

std::vector<WorkspaceSlice> partials_workspace(const Problem& p) {
  constexpr std::string_view rows = "min(splits - 1, 1) * splits * batch * heads_q * len_q";
  return {{.name = "partial_out", .bytes = fmt::format("{} * {}", rows, 4 * p.head_dim_v)},
          {.name = "partial_log2", .bytes = fmt::format("{} * 4", rows)}};
}

LaunchRule combine_launch(const Problem& p) {
  return {.entry = "attentune_combine",
          .grid = {fmt::format("min(splits - 1, 1) * ceil_div(batch * heads_q * len_q, {})", rows_a_block), "1", "1"},
          .block = {std::to_string(32 * rows_a_block), "1", "1"},
          .workspace = partials_workspace(p),
          .depends_on_previous = true};
}

std::int64_t partials_bytes(const Problem& p, std::int64_t splits) noexcept {
  return splits == 1 ? 0 : row_count(p) * splits * 4 * (p.head_dim_v + 1);
}

SplitTraffic split_traffic(const Problem& p, std::int64_t splits) noexcept {
  if (splits == 1)
    return {};
  // A row's warp reads all denominators once, a lane a split, then every lane all, and the sink.
  const std::int64_t denominators = splits * 4 * 32;
  return {.read = partials_bytes(p, splits) + row_count(p) * (denominators + (p.sink_logit ? 4 * 32 : 0)),
          .written = partials_bytes(p, splits)};
}

double split_clocks(const Problem& p, std::int64_t splits) noexcept {
  return splits == 1 ? 0 : launch_clocks + 2 * static_cast<double>(partials_bytes(p, splits)) / memory_bytes;
}

bool splits_help(std::int64_t splits, std::int64_t blocks, std::int64_t key_tiles, const GpuArch& arch) {
  return splits == 1 || (blocks <= std::int64_t{4} * arch.multiprocessors && key_tiles >= 2 * splits);
}

Config with_suitable_splits(const KernelFamily& family, const Problem& problem, const Arch& arch, const Config& config,
                            const std::function<bool(const Config&)>& help) {
  const auto cost = [&](const Config& one) { return family.resources(problem, arch, one).cost; };
  Config best = config;
  double least = help(config) ? worthwhile_share * cost(config) : std::numeric_limits<double>::infinity();
  for (const int splits : split_counts) {
    // Orders go with numbers of splits.
    for (const std::string& order : {config.word("order"), std::string("0"), std::string("1")}) {
      const Config other = config.with("splits", std::to_string(splits)).with("order", order);
      const double clocks = help(other) ? cost(other) : std::numeric_limits<double>::infinity();
      if (clocks < least) {
        best = other;
        least = clocks;
      }
    }
  }
  return best;
}

KeyShare key_share(const Problem& p, std::span<const Interval> runs, std::int64_t tile_n, std::int64_t splits,
                   std::int64_t split) {
  if (runs.empty())
    return {};
  const std::int64_t begin = runs.front().first;
  const std::int64_t share = ceil_div(runs.back().last - begin, splits);
  KeyShare sum;
  for (const Interval& run : runs) {
    const std::int64_t first = std::max(run.first, begin + split * share);
    const std::int64_t end = std::min(run.last, begin + (split + 1) * share);
    if (first >= end)
      continue;
    sum.tiles += end - first;
    sum.keys += std::min(end * tile_n, p.len_kv) - first * tile_n;
  }
  return sum;
}

}  // namespace attentune
