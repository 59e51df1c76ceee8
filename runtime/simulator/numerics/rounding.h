// Rounding: the modes of PTX, and the one place where an exact value becomes a count of quanta.
#pragma once

#include <bit>
#include <cstdint>

namespace attentune::numerics {

// PTX ISA 9.0, section 9.7.9.21: .rn/.rni, .rz/.rzi, .rm/.rmi, .rp/.rpi and .rna.
enum class Rounding : std::uint8_t { nearest_even, toward_zero, down, up, nearest_away };

// significand * 2^-shift as an integer, for any shift; the sign decides what down and up mean.
// A left shift must not push bits out.
[[nodiscard]] constexpr std::uint64_t shift_and_round(bool negative, std::uint64_t significand, int shift,
                                                      Rounding rounding) noexcept {
  if (shift <= 0)
    return shift > -64 ? significand << -shift : 0;
  const bool gone = shift >= 64;
  const std::uint64_t kept = gone ? 0 : significand >> shift;
  const std::uint64_t half = shift > 64 ? 0 : std::uint64_t{1} << (shift - 1);
  const std::uint64_t rest = gone ? significand : significand & ((std::uint64_t{1} << shift) - 1);
  const bool inexact = rest != 0;
  const bool tie = half != 0 && rest == half;
  const bool above_half = half != 0 && rest > half;
  switch (rounding) {
    case Rounding::nearest_even:
      return kept + ((above_half || (tie && (kept & 1) != 0)) ? 1 : 0);
    case Rounding::nearest_away:
      return kept + ((above_half || tie) ? 1 : 0);
    case Rounding::toward_zero:
      return kept;
    case Rounding::down:
      return kept + (inexact && negative ? 1 : 0);
    case Rounding::up:
      return kept + (inexact && !negative ? 1 : 0);
  }
  return kept;
}

// A finite number taken apart: (-1)^negative * significand * 2^exponent, exactly.
struct Parts {
  bool negative = false;
  std::uint64_t significand = 0;
  int exponent = 0;
};

[[nodiscard]] constexpr Parts parts(double finite) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(finite);
  const int biased = static_cast<int>(bits >> 52 & 0x7FF);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  return {.negative = (bits >> 63) != 0,
          .significand = biased == 0 ? fraction : fraction | std::uint64_t{1} << 52,
          .exponent = (biased == 0 ? 1 : biased) - 1075};
}

// The sum rounded to odd: exact, or the neighbour whose last bit is 1. Rounding that once more, to at most 51 bits and
// in any mode, gives what rounding the exact sum would (Boldo & Melquiond, "Emulation of FMA and correctly rounded
// sums", IEEE Trans. Computers 57(4), 2008).
[[nodiscard]] inline double add_to_odd(double a, double b) noexcept {
  const double sum = a + b;
  // Knuth's two-sum; each step stands alone so that no compiler fuses it.
  const double b_rounded = sum - a;
  const double a_rounded = sum - b_rounded;
  const double b_error = b - b_rounded;
  const double a_error = a - a_rounded;
  const double error = a_error + b_error;
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  if (!(error < 0 || error > 0) || (bits & 1) != 0)  // exact (or not finite), or odd already
    return sum;
  const bool away_from_zero = (error > 0) == (sum > 0);
  return std::bit_cast<double>(away_from_zero ? bits + 1 : bits - 1);
}

}  // namespace attentune::numerics
