// The swizzles TMA and wgmma share: 16-byte chunks of a 128-byte line exchanged by the number of the line, on the
// address itself (PTX ISA 9.0, sections 5.5.7 and 9.7.15.5.1.2).
#pragma once

#include <cstdint>

namespace attentune::simulator {

// `span`: 0 (none), 32, 64 or 128 bytes. Bits 4.. are exchanged by bits 7.., as many as the span has chunks.
[[nodiscard]] constexpr std::uint64_t swizzled(std::uint64_t address, int span) noexcept {
  const auto chunks = static_cast<std::uint64_t>(span / 16);
  return span == 0 ? address : address ^ ((address >> 7 & (chunks - 1)) << 4);
}

}  // namespace attentune::simulator
