// Seeded numbers, the same on every machine (the standard library's shuffles and distributions are not).
#pragma once

#include <cstddef>
#include <cstdint>

namespace attentune {

// SplitMix64 (Steele, Lea and Flood 2014).
class SeededSequence {
 public:
  explicit SeededSequence(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  // In [0, bound); the bias is below bound / 2^64.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

}  // namespace attentune
