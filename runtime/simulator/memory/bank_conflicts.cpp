#include "runtime/simulator/memory/bank_conflicts.h"

#include <algorithm>

namespace attentune::simulator {

namespace {

constexpr std::uint32_t banks = 32;

// Cycles of the lanes of one phase.
std::uint32_t phase_cycles(const std::array<std::uint64_t, warp_size>& offsets, Mask lanes,
                           std::uint32_t bytes) noexcept {
  const std::uint32_t words = std::max(bytes / 4, 1U);
  std::array<std::array<std::uint64_t, banks>, banks> seen;  // the different words asked of each bank
  std::array<std::uint32_t, banks> count{};
  std::uint32_t cycles = 0;
  for_each_lane(lanes, [&](int lane) {
    for (std::uint32_t i = 0; i < words; ++i) {
      const std::uint64_t word = offsets[static_cast<std::size_t>(lane)] / 4 + i;
      const auto bank = static_cast<std::size_t>(word % banks);
      const auto end = seen[bank].begin() + count[bank];
      if (std::find(seen[bank].begin(), end, word) == end)
        seen[bank][count[bank]++] = word;
      cycles = std::max(cycles, count[bank]);
    }
  });
  return cycles;
}

}  // namespace

BankUse bank_use(const std::array<std::uint64_t, warp_size>& offsets, Mask lanes, std::uint32_t bytes) noexcept {
  const int phases = bytes == 16 ? 4 : bytes == 8 ? 2 : 1;
  const int phase_lanes = warp_size / phases;
  BankUse use;
  for (int phase = 0; phase < phases; ++phase) {
    const Mask of_phase = every_lane >> (warp_size - phase_lanes) << (phase * phase_lanes);
    if ((lanes & of_phase) == 0)
      continue;
    use.cycles += phase_cycles(offsets, lanes & of_phase, bytes);
    ++use.ideal;
  }
  return use;
}

}  // namespace attentune::simulator
