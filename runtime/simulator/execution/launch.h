// Launch: what all blocks of one kernel launch share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/simulator/counts.h"
#include "runtime/simulator/decode/kernel.h"
#include "runtime/simulator/execution/random.h"
#include "runtime/simulator/memory/global_memory.h"
#include "runtime/simulator/races/timelines.h"
#include "runtime/simulator/races/vector_clock.h"
#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

struct Launch {
  const Kernel& kernel;
  const Options& options;
  const LaunchShape& shape;
  GlobalMemory& global;
  std::span<const std::byte> parameters;
  Random random;

  std::uint32_t warps = 0;  // a block
  std::size_t shared_bytes = 0;
  Timelines timelines;  // of a block

  std::vector<std::uint64_t> executed;  // by step
  std::uint64_t instructions = 0;       // executed so far
  std::vector<std::uint8_t> entered;    // by step: some lane came to it, whatever its guard
  std::array<Traffic, spaces> bytes{};
  std::uint64_t shared_cycles = 0;
  std::uint64_t shared_conflict_cycles = 0;
  bool time_limit_passed = false;  // of every mbarrier.try_wait: nobody could run
  std::uint64_t progress = 0;      // moves with everything that others can see

  // What the writers of a synchronizing location released there, by generic address (shared ones: with the block).
  std::unordered_map<std::uint64_t, VectorClock> locations;
};

}  // namespace attentune::simulator
