// One lane's value of a register of any bank but predicates, as 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/simulator/state/register_file.h"

namespace attentune::simulator {

[[nodiscard]] inline std::uint64_t lane_value(const RegisterFile& registers, const Slot& slot, int lane) noexcept {
  const auto at = static_cast<std::size_t>(lane);
  return slot.bank == Bank::wide ? registers.wides[slot.at][at] : registers.words[slot.at][at];
}

inline void set_lane_value(RegisterFile& registers, const Slot& slot, int lane, std::uint64_t value) noexcept {
  const auto at = static_cast<std::size_t>(lane);
  if (slot.bank == Bank::wide)
    registers.wides[slot.at][at] = value;
  else
    registers.words[slot.at][at] = static_cast<std::uint32_t>(value);
}

}  // namespace attentune::simulator
