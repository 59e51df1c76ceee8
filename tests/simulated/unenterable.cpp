#include "tests/simulated/unenterable.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace attentune {
namespace {

bool no_warps_share_rows(const Problem&, const Config& config) { return config.word("warps").ends_with("x1"); }

// Passes of all threads, 16 bytes each, over the rows of O of one tile (templates/cuda/copy_tile.cuh).
std::int64_t passes_over_out(const Problem& problem, const Config& config) {
  std::int64_t lanes_per_row = 1;
  while (lanes_per_row < problem.head_dim_v / 8)
    lanes_per_row *= 2;
  const std::string& warps = config.word("warps");
  const std::int64_t threads = 32 * (warps.front() - '0') * (warps.back() - '0');
  const std::int64_t rows_per_pass = threads / lanes_per_row;
  return (config.integer("tile_m") + rows_per_pass - 1) / rows_per_pass;
}

bool fewer_than_four_passes_over_out(const Problem& problem, const Config& config) {
  return passes_over_out(problem, config) < 4;
}

}  // namespace

std::vector<Unenterable> unenterable_of_forward_mma() {
  constexpr const char* copy_rows =
      "for (int row = threadIdx.x / Shape::LANES_PER_ROW; row < item.rows; row += Shape::ROWS_PER_PASS) {";
  return {
      {.entry = "attentune_forward",
       .from = "if (place.key_part == 0) {",
       .to = "if (place.key_part == 0) {",
       .reason = "all warps have part 0 of the keys, which follows from the number of threads",
       .applies = no_warps_share_rows},
      {.entry = "attentune_forward",
       .from = copy_rows,
       .to = copy_rows,
       .reason = "the compiler's loop for four passes at a time, where a tile's rows take fewer",
       .applies = fewer_than_four_passes_over_out},
  };
}

std::vector<Unenterable> unenterable_of_forward_wgmma() {
  constexpr const char* items =
      "for (u32 index = consumer.next_item(); index != NO_ITEM; index = consumer.next_item()) {";
  constexpr const char* reason =
      "the way around the loop: no block is without an item, for the grid has no more blocks than items";
  // What a block without an item would have after the loop, an address or a stage, is set by a line of PTX alone.
  return {
      {.entry = "attentune_forward", .from = items, .to = "add.s32", .reason = reason},
      {.entry = "attentune_forward", .from = items, .to = "mov.u32", .reason = reason},
  };
}

UnenterableList::UnenterableList(std::vector<Unenterable> rows)
    : rows_(std::move(rows)), needed_(rows_.size(), false) {}

std::size_t UnenterableList::row_of(const CoverageReport::Untaken& way, const Problem& problem,
                                    const Config& config) const {
  const auto found = std::ranges::find_if(rows_, [&](const Unenterable& row) {
    return way.entry == row.entry && way.from.starts_with(row.from) && way.to.starts_with(row.to) &&
           (row.applies == nullptr || row.applies(problem, config));
  });
  return static_cast<std::size_t>(found - rows_.begin());
}

std::vector<std::string> UnenterableList::unexplained(const CoverageReport& kernel, const Problem& problem,
                                                      const Config& config) const {
  std::vector<std::string> sentences;
  for (const std::string& entry : kernel.never_launched())
    sentences.push_back(entry + " was never launched");
  for (const CoverageReport::Untaken& way : kernel.untaken()) {
    if (row_of(way, problem, config) == rows_.size())
      sentences.push_back(
          fmt::format("nothing went from `{}` to `{}` in {}: {}", way.from, way.to, way.entry, way.example));
  }
  return sentences;
}

void UnenterableList::add(const CoverageReport& kernel, const Problem& problem, const Config& config) {
  ++kernels_;
  blocks_ += kernel.blocks();
  unentered_ += kernel.unentered();
  all_explained_ = all_explained_ && unexplained(kernel, problem, config).empty();
  for (const CoverageReport::Untaken& way : kernel.untaken()) {
    if (const std::size_t row = row_of(way, problem, config); row < rows_.size())
      needed_[row] = true;
  }
}

std::vector<std::string> UnenterableList::unneeded() const {
  std::vector<std::string> sentences;
  for (std::size_t n = 0; n < rows_.size(); ++n) {
    if (!needed_[n])
      sentences.push_back(
          fmt::format("from `{}` to `{}` in {}: {}", rows_[n].from, rows_[n].to, rows_[n].entry, rows_[n].reason));
  }
  return sentences;
}

std::string UnenterableList::summary() const {
  const std::string entered =
      fmt::format("{} kernels: {} of {} basic blocks entered", kernels_, blocks_ - unentered_, blocks_);
  if (!all_explained_)
    return entered;
  return fmt::format("{}; the other {} lie behind {} ways of the list", entered, unentered_,
                     std::ranges::count(needed_, true));
}

}  // namespace attentune
