// A warp's 32 lanes: masks of them, and one register of all of them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace attentune::simulator {

inline constexpr int warp_size = 32;

using Mask = std::uint32_t;  // bit l: lane l
inline constexpr Mask every_lane = ~Mask{0};

using Words = std::array<std::uint32_t, warp_size>;  // a register of at most 32 bits, zero-extended
using Wides = std::array<std::uint64_t, warp_size>;  // one of 64 bits

[[nodiscard]] constexpr Mask lane_bit(int lane) noexcept { return Mask{1} << lane; }
[[nodiscard]] constexpr bool has_lane(Mask mask, int lane) noexcept { return (mask >> lane & 1) != 0; }

// From the lowest lane up.
template <class Action>
void for_each_lane(Mask mask, Action&& action) {
  for (; mask != 0; mask &= mask - 1)
    action(std::countr_zero(mask));
}

}  // namespace attentune::simulator
