// The shared memory of one block, by offsets from the begin of its window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/simulator/memory/byte_bits.h"
#include "runtime/simulator/memory/windows.h"
#include "runtime/simulator/races/shadow.h"

namespace attentune::simulator {

struct SharedMemory {
  std::vector<std::byte> bytes;
  ByteBits written;
  Shadow shadow;  // empty without race checking

  SharedMemory(std::size_t size, bool races) : bytes(size), written(size), shadow(races ? Shadow(size) : Shadow()) {}

  [[nodiscard]] bool contains(std::uint64_t address, std::uint64_t count) const noexcept {
    const std::uint64_t offset = address - shared_begin;
    return offset < bytes.size() && count <= bytes.size() - offset;
  }
};

}  // namespace attentune::simulator
