// add, mul, fma, div, rcp, sqrt of f32 in every rounding mode. f64 to nearest is C++'s own arithmetic and std::fma.
// Source: PTX ISA 9.0, sections 9.7.3.3 to 9.7.3.15; sub is add of the negated operand.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "runtime/simulator/numerics/format.h"
#include "runtime/simulator/numerics/rounding.h"

namespace attentune::numerics {

struct FloatMode {
  Rounding rounding = Rounding::nearest_even;
  bool ftz = false;  // subnormal inputs and results to a zero of their sign
  bool sat = false;  // results to [0, 1], NaN to +0
};

// Every NaN result of f32 is the one canonical NaN.
[[nodiscard]] inline float canonical(float value) noexcept {
  return std::isnan(value) ? std::bit_cast<float>(static_cast<std::uint32_t>(f32.nan)) : value;
}

[[nodiscard]] inline float saturate(float value) noexcept {
  return value > 0 ? std::min(value, 1.0F) : 0.0F;  // false for NaN and both zeros: +0
}

namespace detail {

[[nodiscard]] inline float operand(float value, const FloatMode& mode) noexcept {
  return mode.ftz ? flush_subnormal(value) : value;
}

[[nodiscard]] inline float finish(float value, const FloatMode& mode) noexcept {
  const float flushed = mode.ftz ? flush_subnormal(value) : value;
  return mode.sat ? saturate(flushed) : canonical(flushed);
}

// `exact_or_odd`: the exact result, or one rounded to odd, or one that no f32 and no midpoint of two lies beside.
[[nodiscard]] inline float rounded(double exact_or_odd, const FloatMode& mode) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(encode(f32, exact_or_odd, mode.rounding)));
}

// x + y rounded once. A sum of zero is -0 only where both are, or where rounding goes down (IEEE 754, section 6.3).
[[nodiscard]] inline float sum_rounded(double x, double y, const FloatMode& mode) noexcept {
  const double sum = add_to_odd(x, y);
  if (sum == 0 && (x != 0 || std::signbit(x) != std::signbit(y)))
    return mode.rounding == Rounding::down ? -0.0F : 0.0F;
  return rounded(sum, mode);
}

}  // namespace detail

[[nodiscard]] inline float add(float a, float b, const FloatMode& mode) noexcept {
  const float x = detail::operand(a, mode);
  const float y = detail::operand(b, mode);
  if (mode.rounding == Rounding::nearest_even)
    return detail::finish(x + y, mode);
  return detail::finish(detail::sum_rounded(x, y, mode), mode);
}

[[nodiscard]] inline float mul(float a, float b, const FloatMode& mode) noexcept {
  const float x = detail::operand(a, mode);
  const float y = detail::operand(b, mode);
  if (mode.rounding == Rounding::nearest_even)
    return detail::finish(x * y, mode);
  return detail::finish(detail::rounded(static_cast<double>(x) * y, mode), mode);
}

[[nodiscard]] inline float fma(float a, float b, float c, const FloatMode& mode) noexcept {
  const float x = detail::operand(a, mode);
  const float y = detail::operand(b, mode);
  const float z = detail::operand(c, mode);
  if (mode.rounding == Rounding::nearest_even)
    return detail::finish(std::fma(x, y, z), mode);
  const double product = static_cast<double>(x) * y;  // 48 bits: exact
  return detail::finish(detail::sum_rounded(product, z, mode), mode);
}

// Quotients and roots of 24-bit numbers that are not f32 numbers or midpoints themselves lie further from those than
// half a unit of f64, so rounding through f64 is rounding once, in every mode.
[[nodiscard]] inline float div(float a, float b, const FloatMode& mode) noexcept {
  const double quotient = static_cast<double>(detail::operand(a, mode)) / detail::operand(b, mode);
  return detail::finish(detail::rounded(quotient, mode), mode);
}

[[nodiscard]] inline float rcp(float a, const FloatMode& mode) noexcept { return div(1.0F, a, mode); }

[[nodiscard]] inline float sqrt(float a, const FloatMode& mode) noexcept {
  return detail::finish(detail::rounded(std::sqrt(static_cast<double>(detail::operand(a, mode))), mode), mode);
}

}  // namespace attentune::numerics
