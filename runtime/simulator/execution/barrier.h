// One of a block's sixteen barriers: bar.sync, bar.arrive, bar.red (PTX ISA 9.0, section 9.7.13.1).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/simulator/races/vector_clock.h"
#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

inline constexpr std::size_t barriers_per_block = 16;
inline constexpr std::size_t max_warps = 32;

struct Barrier {
  std::uint32_t expected = 0;  // threads; 0: every thread of the block that has not exited
  std::uint32_t arrived = 0;   // threads
  bool in_use = false;
  std::array<Mask, max_warps> lanes{};  // that arrived, by warp
  std::uint32_t true_count = 0;         // bar.red: lanes whose predicate held
  std::uint32_t lane_count = 0;         // lanes that wait
  std::uint32_t last_true_count = 0;    // of the generation that completed last
  std::uint32_t last_lanes = 0;
  VectorClock clock;       // of those that arrived
  VectorClock last_clock;  // what those released learn
};

}  // namespace attentune::simulator
