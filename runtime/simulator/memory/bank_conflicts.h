// How often shared memory must be read or written for one warp instruction: 32 banks of 4 bytes, one word of each bank
// a cycle, lanes of the same word served together; 16-byte accesses go 8 lanes at a time, 8-byte ones 16 lanes (CUDA
// C++ Programming Guide, compute capability 5.x and up).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

struct BankUse {
  std::uint32_t cycles = 0;
  std::uint32_t ideal = 0;  // of as many lanes without a conflict
};

// `offsets`: of each lane's `bytes`, a power of two up to 16.
[[nodiscard]] BankUse bank_use(const std::array<std::uint64_t, warp_size>& offsets, Mask lanes,
                               std::uint32_t bytes) noexcept;

}  // namespace attentune::simulator
