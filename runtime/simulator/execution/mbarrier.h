// The state of an mbarrier object; PTX calls it opaque (PTX ISA 9.0, section 9.7.13.15).
#pragma once

#include <cstdint>

#include "runtime/simulator/races/vector_clock.h"

namespace attentune::simulator {

struct MBarrier {
  std::uint32_t expected = 0;
  std::uint32_t pending = 0;
  std::int64_t transactions = 0;  // bytes still to come
  std::uint32_t phase = 0;        // how many have completed
  bool seen = true;               // some wait was told that the last one has completed
  std::uint32_t index = 0;        // of its block, for its timeline
  Epoch initialized;              // by its warp, in the generic proxy
  Epoch published;                // when that warp's fence.mbarrier_init came after; time 0: never
  VectorClock arriving;           // of the arrivals of this phase
  VectorClock completed;          // of all phases that completed
};

// 9.7.13.15.2: the largest count, of arrivals and (with either sign) of bytes.
inline constexpr std::uint32_t mbarrier_max_count = (1U << 20) - 1;

}  // namespace attentune::simulator
