// A small seeded generator, the same on every machine (Steele, Lea & Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014: SplitMix64).
#pragma once

#include <cstdint>

namespace attentune::simulator {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9E37'79B9'7F4A'7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
    return z ^ (z >> 31);
  }

  // In [0, limit), for limits far below 2^32.
  std::uint32_t below(std::uint32_t limit) noexcept { return static_cast<std::uint32_t>((next() >> 32) * limit >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace attentune::simulator
