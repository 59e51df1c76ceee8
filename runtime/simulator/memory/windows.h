// Generic addresses: where the windows of the other spaces lie among 64-bit addresses (PTX ISA 9.0, section 6.4.1.1).
// Global addresses are pointers of this process, below 2^47; the windows are above, one a value of the top byte.
#pragma once

#include <cstdint>

#include "runtime/simulator/decode/step.h"

namespace attentune::simulator {

// Where shared memory begins inside its window: not 0, so that a forgotten address is seen, and 1024-aligned, as the
// widest swizzle wants.
inline constexpr std::uint64_t shared_begin = 1024;

[[nodiscard]] constexpr std::uint64_t window_of(Space space) noexcept {
  switch (space) {
    case Space::shared:
      return std::uint64_t{1} << 56;
    case Space::local:
      return std::uint64_t{2} << 56;
    case Space::param:
      return std::uint64_t{3} << 56;
    case Space::constant:
      return std::uint64_t{4} << 56;
    case Space::global:
    case Space::generic:
      break;
  }
  return 0;
}

[[nodiscard]] constexpr Space space_of(std::uint64_t generic) noexcept {
  switch (generic >> 56) {
    case 1:
      return Space::shared;
    case 2:
      return Space::local;
    case 3:
      return Space::param;
    case 4:
      return Space::constant;
    default:
      return Space::global;
  }
}

[[nodiscard]] constexpr std::uint64_t within_window(std::uint64_t generic) noexcept {
  return space_of(generic) == Space::global ? generic : generic & ((std::uint64_t{1} << 56) - 1);
}

// An address of the .shared::cluster window: in the bits above those of an address of its own block, the block's rank
// in the cluster, counted from 1. 0 stands for the own block, so every .shared::cta address is a .shared::cluster one
// (PTX ISA 9.0, section 5.1.7).
inline constexpr int cluster_rank_shift = 24;
[[nodiscard]] constexpr std::uint64_t cluster_address(std::uint32_t rank, std::uint64_t address) noexcept {
  return std::uint64_t{rank + 1} << cluster_rank_shift | (address & ((1U << cluster_rank_shift) - 1));
}

}  // namespace attentune::simulator
