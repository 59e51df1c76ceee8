// Counter-based random numbers: a value is a function of (seed, stream, index), so any thread may make any part.
#pragma once

#include <bit>
#include <cstdint>

namespace attentune {

// splitmix64 (Steele, Lea, Flood 2014): its finalizer over a Weyl counter that starts where seed and stream say.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept {
  const auto finalize = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  };
  return finalize(finalize(seed * 0xD1B54A32D192ED03U + stream) + index * 0x9E3779B97F4A7C15U);
}

// Nearly N(0, 1): a popcount of 64 bits is binomial (mean 32, deviation 4), smoothed by a uniform step that makes the
// variance 16 1/12. Cheap, needs no libm, and so gives the same bits on every machine; largest magnitude 8.
constexpr double random_normal(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept {
  const std::uint64_t bits = random_bits(seed, stream, index);
  const double step = static_cast<double>((bits * 0x9FB21C651E98DF25U) >> 40) * 0x1p-24 - 0.5;
  return (static_cast<double>(std::popcount(bits)) - 32.0 + step) * 0.25;
}

}  // namespace attentune
