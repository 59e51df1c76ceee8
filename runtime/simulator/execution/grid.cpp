#include "runtime/simulator/execution/grid.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"

namespace attentune::simulator {

namespace {

// Turns of each block in which nothing changed that others could see, before everybody is taken to wait in vain. A turn
// is a thousand steps or so; the longest stretch of private arithmetic of a kernel is far below.
constexpr std::size_t idle_turns_a_block = 500;

// How often the time limits of all try_waits may pass with nothing happening in between: whoever only polls polls
// again.
constexpr int most_time_limits = 3;

std::uint64_t resident_blocks(const Launch& launch, const Multiprocessor& limits) {
  // 1 KiB a block is the system's (facts of compute capability 8.0 and up).
  const std::uint64_t by_shared = limits.shared_bytes / (launch.shared_bytes + 1024);
  const std::uint64_t by_warps = limits.warps / launch.warps;
  const std::uint64_t per_multiprocessor =
      std::max<std::uint64_t>(std::min({by_shared, by_warps, std::uint64_t{limits.blocks}}), 1);
  return std::min(per_multiprocessor * static_cast<std::uint64_t>(launch.options.sms), launch.shape.grid.count());
}

[[noreturn]] void stop(FaultKind kind, const Launch& launch, const std::vector<std::unique_ptr<Block>>& blocks,
                       const std::string& sentence) {
  std::string text = sentence;
  for (const auto& block : blocks)
    text += block->describe();
  text += "\n ";
  throw Fault(kind, text, {.kernel = launch.kernel.name});
}

}  // namespace

void run_grid(Launch& launch, const Multiprocessor& limits) {
  const std::uint64_t total = launch.shape.grid.count();
  std::uint64_t next = 0;
  std::vector<std::unique_ptr<Block>> blocks;
  for (std::uint64_t slot = 0; slot < resident_blocks(launch, limits); ++slot) {
    blocks.push_back(std::make_unique<Block>(launch, static_cast<std::uint32_t>(slot)));
    blocks.back()->start(next++);
  }
  std::uint64_t progress = launch.progress;
  std::size_t idle = 0;
  int limits_passed = 0;
  std::uint64_t progress_at_limit = ~progress;
  while (!blocks.empty()) {
    const std::size_t first = launch.random.below(static_cast<std::uint32_t>(blocks.size()));
    std::size_t chosen = first;
    while (!blocks[chosen]->can_run() && (chosen = (chosen + 1) % blocks.size()) != first) {
    }
    if (!blocks[chosen]->can_run()) {
      if (std::ranges::any_of(blocks, [](const auto& block) { return block->complete_late(); }))
        continue;
      if (launch.progress != progress_at_limit)
        limits_passed = 0;
      progress_at_limit = launch.progress;
      if (++limits_passed > most_time_limits)
        stop(FaultKind::deadlock, launch, blocks, "nobody can go on:");
      launch.time_limit_passed = true;
      for (const auto& block : blocks)
        block->pass_time_limit();
      continue;
    }
    blocks[chosen]->turn();
    if (blocks[chosen]->done()) {
      if (next < total)
        blocks[chosen]->start(next++);
      else
        blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    idle = launch.progress == progress ? idle + 1 : 0;
    progress = launch.progress;
    // Whoever spins may be waiting for an operation that is under way.
    if (idle > 0)
      std::ranges::any_of(blocks, [](const auto& block) { return block->complete_late(); });
    if (idle > idle_turns_a_block * (blocks.size() + 1))
      stop(FaultKind::no_progress, launch, blocks, "everybody runs on and nothing changes any more:");
  }
}

}  // namespace attentune::simulator
