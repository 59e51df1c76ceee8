// min and max of floating-point numbers.
// Source: PTX ISA 9.0, sections 9.7.3.11, 9.7.3.12 (f32, f64), 9.7.4.7, 9.7.4.8 (f16, bf16).
#pragma once

#include <cstdint>

#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics {

struct MinMaxMode {
  bool ftz = false;          // f32 and f16: subnormal inputs to a zero of their sign
  bool nan = false;          // .NaN: NaN if either input is one; without, the other input
  bool xorsign_abs = false;  // magnitudes compared, sign the xor of both signs
};

// On patterns of any format; -0 is less than +0, a NaN result is the format's own.
[[nodiscard]] constexpr std::uint64_t minimum_or_maximum(const Format& format, bool maximum, std::uint64_t a,
                                                         std::uint64_t b, const MinMaxMode& mode) noexcept {
  const auto prepared = [&](std::uint64_t pattern) {
    const std::uint64_t flushed = mode.ftz ? flush_subnormal(format, pattern) : pattern;
    return mode.xorsign_abs ? flushed & format.magnitude() : flushed;
  };
  const std::uint64_t x = prepared(a);
  const std::uint64_t y = prepared(b);
  const bool x_nan = format.is_nan(x);
  const bool y_nan = format.is_nan(y);
  if ((x_nan && y_nan) || (mode.nan && (x_nan || y_nan)))
    return format.nan;
  // Patterns in the order of their numbers, -0 below +0: negative ones count down.
  const auto rank = [&](std::uint64_t pattern) {
    return (pattern & format.sign()) != 0 ? format.magnitude() & ~pattern : pattern | format.sign();
  };
  const bool take_x = y_nan || (!x_nan && (maximum ? rank(x) > rank(y) : rank(x) < rank(y)));
  const std::uint64_t chosen = take_x ? x : y;
  return mode.xorsign_abs ? (chosen & format.magnitude()) | ((a ^ b) & format.sign()) : chosen;
}

[[nodiscard]] constexpr std::uint64_t minimum(const Format& format, std::uint64_t a, std::uint64_t b,
                                              const MinMaxMode& mode = {}) noexcept {
  return minimum_or_maximum(format, false, a, b, mode);
}

[[nodiscard]] constexpr std::uint64_t maximum(const Format& format, std::uint64_t a, std::uint64_t b,
                                              const MinMaxMode& mode = {}) noexcept {
  return minimum_or_maximum(format, true, a, b, mode);
}

}  // namespace attentune::numerics
