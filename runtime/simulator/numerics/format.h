// Floating-point formats of at most 64 bits as bit patterns: exact reading, rounded writing.
// Source: PTX ISA 9.0, sections 5.2.1, 5.2.3 (alternate formats) and 9.7.9.21 (cvt).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "runtime/simulator/numerics/rounding.h"

namespace attentune::numerics {

struct Format {
  int exponent_bits = 0;
  int fraction_bits = 0;
  bool has_infinity = true;  // without: the largest exponent is ordinary, and all ones is NaN
  std::uint64_t nan = 0;     // the pattern every operation of this format gives for NaN

  [[nodiscard]] constexpr int bits() const noexcept { return 1 + exponent_bits + fraction_bits; }
  [[nodiscard]] constexpr int bias() const noexcept { return (1 << (exponent_bits - 1)) - 1; }
  [[nodiscard]] constexpr std::uint64_t sign() const noexcept { return std::uint64_t{1} << (bits() - 1); }
  [[nodiscard]] constexpr std::uint64_t magnitude() const noexcept { return sign() - 1; }
  [[nodiscard]] constexpr std::uint64_t one_exponent() const noexcept { return std::uint64_t{1} << fraction_bits; }
  // The infinity of IEEE formats; where there is none, the NaN, which follows the largest finite just the same.
  [[nodiscard]] constexpr std::uint64_t infinity() const noexcept {
    return has_infinity ? magnitude() - (one_exponent() - 1) : magnitude();
  }
  [[nodiscard]] constexpr std::uint64_t largest() const noexcept { return infinity() - 1; }
  [[nodiscard]] constexpr bool is_nan(std::uint64_t pattern) const noexcept {
    return has_infinity ? (pattern & magnitude()) > infinity() : (pattern & magnitude()) == magnitude();
  }
  [[nodiscard]] constexpr bool is_subnormal(std::uint64_t pattern) const noexcept {
    return (pattern & magnitude()) < one_exponent() && (pattern & magnitude()) != 0;
  }

  constexpr bool operator==(const Format&) const = default;
};

inline constexpr Format f16{.exponent_bits = 5, .fraction_bits = 10, .nan = 0x7FFF};
inline constexpr Format bf16{.exponent_bits = 8, .fraction_bits = 7, .nan = 0x7FFF};
inline constexpr Format e5m2{.exponent_bits = 5, .fraction_bits = 2, .nan = 0x7F};
inline constexpr Format e4m3{.exponent_bits = 4, .fraction_bits = 3, .has_infinity = false, .nan = 0x7F};
inline constexpr Format f32{.exponent_bits = 8, .fraction_bits = 23, .nan = 0x7FFF'FFFF};
inline constexpr Format f64{.exponent_bits = 11, .fraction_bits = 52, .nan = 0x7FFF'FFFF'FFFF'FFFF};
// 19 bits that live in the upper bits of an f32; see tf32_of.
inline constexpr Format tf32{.exponent_bits = 8, .fraction_bits = 10, .nan = 0x3'FFFF};

// What a value beyond the largest finite one becomes.
enum class Overflow : std::uint8_t { infinity, saturate };

// The pattern of a value that is not zero, rounded once.
[[nodiscard]] constexpr std::uint64_t encode(const Format& format, const Parts& value, Rounding rounding,
                                             Overflow overflow = Overflow::infinity) noexcept {
  const int leading = 63 - std::countl_zero(value.significand) + value.exponent;
  const int smallest = 1 - format.bias();                                 // exponent of the smallest normal number
  const int exponent = std::clamp(leading, smallest, format.bias() + 2);  // bias + 2: too large for every format
  const int quantum = exponent - format.fraction_bits;
  const std::uint64_t quanta =
      leading > exponent ? format.one_exponent()
                         : shift_and_round(value.negative, value.significand, quantum - value.exponent, rounding);
  // The leading bit of a normal number adds the first step of the exponent field, a carry the next.
  const std::uint64_t pattern = (static_cast<std::uint64_t>(exponent - smallest) << format.fraction_bits) + quanta;
  const std::uint64_t sign = value.negative ? format.sign() : 0;
  if (pattern <= format.largest())
    return sign | pattern;
  const bool towards_zero =
      rounding == Rounding::toward_zero || rounding == (value.negative ? Rounding::up : Rounding::down);
  return sign | (overflow == Overflow::saturate || towards_zero ? format.largest() : format.infinity());
}

// The same for any double: NaN becomes the format's one NaN, zeros keep their sign.
[[nodiscard]] inline std::uint64_t encode(const Format& format, double value, Rounding rounding,
                                          Overflow overflow = Overflow::infinity) noexcept {
  if (std::isnan(value))
    return format.nan;
  const std::uint64_t sign = std::signbit(value) ? format.sign() : 0;
  if (std::isinf(value))
    return sign | (overflow == Overflow::saturate ? format.largest() : format.infinity());
  if (value == 0)
    return sign;
  return encode(format, parts(value), rounding, overflow);
}

// The float a pattern of at most 32 bits stands for, exactly; NaN keeps its sign and fraction.
[[nodiscard]] constexpr float decode_float(const Format& format, std::uint32_t pattern) noexcept {
  const int shift = 23 - format.fraction_bits;
  const auto magnitude = static_cast<std::uint32_t>(pattern & format.magnitude());
  const std::uint32_t sign = (pattern >> (format.bits() - 1) & 1) << 31;
  if (format.exponent_bits == 8)  // the upper bits of an f32
    return std::bit_cast<float>(sign | magnitude << shift);
  const auto rebias = static_cast<std::uint32_t>(127 - format.bias()) << 23;
  const std::uint32_t normal = (magnitude << shift) + rebias;
  // Counted in the smallest number: no f32 subnormal comes up, which many processors multiply a hundred times slower.
  const auto smallest =
      std::bit_cast<float>(static_cast<std::uint32_t>(128 - format.bias() - format.fraction_bits) << 23);
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * smallest;
  const std::uint32_t special = 0x7F80'0000U | magnitude << shift;
  const bool is_finite = magnitude <= static_cast<std::uint32_t>(format.largest());
  const bool is_normal = magnitude >= static_cast<std::uint32_t>(format.one_exponent());
  const std::uint32_t finite = is_normal ? normal : std::bit_cast<std::uint32_t>(subnormal);
  return std::bit_cast<float>((is_finite ? finite : special) | sign);
}

// A tf32 operand is an f32 register whose lower 13 bits the instruction ignores (section 5.2.3).
[[nodiscard]] constexpr float tf32_of(std::uint32_t f32_pattern) noexcept {
  return std::bit_cast<float>(f32_pattern & ~std::uint32_t{0x1FFF});
}

// What .ftz makes of a pattern: a subnormal number becomes the zero of its sign.
[[nodiscard]] constexpr std::uint64_t flush_subnormal(const Format& format, std::uint64_t pattern) noexcept {
  return format.is_subnormal(pattern) ? pattern & format.sign() : pattern;
}

[[nodiscard]] constexpr float flush_subnormal(float value) noexcept {
  const auto pattern = std::bit_cast<std::uint32_t>(value);
  return (pattern & 0x7F80'0000U) == 0 ? std::bit_cast<float>(pattern & 0x8000'0000U) : value;
}

}  // namespace attentune::numerics
