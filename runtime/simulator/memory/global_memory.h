// Global memory: the buffers a kernel may touch. Everything else in the process is out of bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/memory/byte_bits.h"
#include "runtime/simulator/races/shadow.h"

namespace attentune::simulator {

enum class BufferAccess : std::uint8_t {
  read,        // a write stops the run
  read_write,  // holds values from the start
  scratch      // poisoned; a byte read before it is written stops the run
};

struct Buffer {
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
  std::string name;
  BufferAccess access = BufferAccess::read;
  ByteBits written;  // scratch only
  Shadow shadow;     // empty for read-only ones and without race checking

  [[nodiscard]] bool contains(std::uint64_t address, std::uint64_t count) const noexcept {
    return address - begin < bytes && count <= bytes - (address - begin);
  }
};

class GlobalMemory {
 public:
  // Throws RefusalError when it overlaps a buffer already there.
  void add(void* pointer, std::size_t bytes, const std::string& name, BufferAccess access);
  void remove(const void* pointer);

  // The buffer that holds all `count` bytes, or null.
  [[nodiscard]] Buffer* find(std::uint64_t address, std::uint64_t count) noexcept;

  // "4 bytes past the end of q (8192 bytes)", for a message about an address no buffer holds.
  [[nodiscard]] std::string describe_miss(std::uint64_t address, std::uint64_t count) const;

  // A launch comes after everything before it: forgets what the shadows hold.
  void begin_launch(bool races);

 private:
  std::vector<Buffer> buffers_;  // by address
};

}  // namespace attentune::simulator
