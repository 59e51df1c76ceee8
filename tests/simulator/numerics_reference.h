// What the numerics are checked against: formats as sorted lists of numbers, rounding by comparing distances.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics::reference {

// 32 random bits a call; std::mt19937 returns a type that is wider on some machines.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_{seed} {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

inline constexpr Rounding every_rounding[] = {Rounding::nearest_even, Rounding::toward_zero, Rounding::down,
                                              Rounding::up, Rounding::nearest_away};

// (-1)^s * 2^(e - bias) * 1.f, and 2^(1 - bias) * 0.f where e = 0: IEEE 754-2019, section 3.4.
inline double value_of(const Format& format, std::uint64_t pattern) {
  const int exponent_all_ones = (1 << format.exponent_bits) - 1;
  const int exponent = static_cast<int>(pattern >> format.fraction_bits) & exponent_all_ones;
  const auto fraction = static_cast<double>(pattern & ((std::uint64_t{1} << format.fraction_bits) - 1));
  const double significand = fraction / std::exp2(format.fraction_bits) + (exponent == 0 ? 0 : 1);
  const double magnitude = std::ldexp(significand, std::max(exponent, 1) - ((1 << (format.exponent_bits - 1)) - 1));
  return (pattern >> (format.bits() - 1) & 1) != 0 ? -magnitude : magnitude;
}

// All finite magnitudes in rising order; the index is the pattern.
inline std::vector<double> magnitudes(const Format& format) {
  std::vector<double> list;
  for (std::uint64_t pattern = 0; pattern <= format.largest(); ++pattern)
    list.push_back(value_of(format, pattern));
  return list;
}

// The pattern for a value that lies among the finite ones. Number: double, or anything the magnitudes convert to
// exactly and whose differences are exact.
template <class Number>
std::uint64_t rounded(const Format& format, const std::vector<Number>& list, Number value, Rounding rounding) {
  const bool negative = value < 0;
  const Number magnitude = negative ? -value : value;
  const auto above = std::lower_bound(list.begin(), list.end(), magnitude);
  auto pattern = static_cast<std::uint64_t>(above - list.begin());
  if (*above != magnitude) {
    const Number to_above = *above - magnitude;
    const Number to_below = magnitude - *(above - 1);
    const bool odd_above = pattern % 2 == 1;
    bool take_above = false;
    switch (rounding) {
      case Rounding::nearest_even:
        take_above = to_above < to_below || (to_above == to_below && !odd_above);
        break;
      case Rounding::nearest_away:
        take_above = to_above <= to_below;
        break;
      case Rounding::toward_zero:
        break;
      case Rounding::down:
        take_above = negative;
        break;
      case Rounding::up:
        take_above = !negative;
        break;
    }
    pattern -= take_above ? 0 : 1;
  }
  return pattern | (negative ? format.sign() : 0);
}

}  // namespace attentune::numerics::reference
