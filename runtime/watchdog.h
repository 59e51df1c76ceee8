// Watchdog builds of GPU kernels: a wait for an mbarrier that never completes ends the kernel with a trap, and says
// where it stood (templates/cuda/watchdog.cuh). For first runs: CompilerOptions::watchdog_polls.
#pragma once

#include <cstdint>
#include <string>

namespace attentune {

// A poll takes at most a microsecond on a GPU; no wait of a sound kernel is within orders of magnitude of this many.
inline constexpr int gpu_watchdog_polls = 1 << 20;
// On a simulator a poll fails only when nobody can go on; after a few it would stop the kernel itself.
inline constexpr int simulator_watchdog_polls = 2;

// What AttentionArgs::watchdog_report says, as a sentence; "" for 0, which is no report.
[[nodiscard]] std::string watchdog_sentence(std::uint64_t report);

}  // namespace attentune
