// add, mul, fma of f16 and bf16 with one rounding to nearest, and the forms on two packed halves.
// Source: PTX ISA 9.0, sections 9.7.4.1 to 9.7.4.6. sub is add of the negated operand.
#pragma once

#include <cstdint>

#include "runtime/simulator/numerics/format.h"
#include "runtime/simulator/numerics/rounding.h"

namespace attentune::numerics {

struct HalfMode {
  bool ftz = false;   // f16 only: subnormal inputs and results to a zero of their sign
  bool sat = false;   // f16 only: results to [0, 1], NaN to +0
  bool relu = false;  // negative results to 0
};

namespace detail {

[[nodiscard]] constexpr double half_operand(const Format& format, std::uint16_t pattern,
                                            const HalfMode& mode) noexcept {
  return decode_float(format, static_cast<std::uint32_t>(mode.ftz ? flush_subnormal(format, pattern) : pattern));
}

// `exact_or_odd` as of add_to_odd.
[[nodiscard]] inline std::uint16_t half_result(const Format& format, double exact_or_odd,
                                               const HalfMode& mode) noexcept {
  const auto pattern = static_cast<std::uint16_t>(encode(format, exact_or_odd, Rounding::nearest_even));
  const bool negative = (pattern & format.sign()) != 0;
  if (format.is_nan(pattern))
    return mode.sat ? std::uint16_t{0} : pattern;
  if ((mode.relu || mode.sat) && negative)
    return 0;
  const auto one = static_cast<std::uint16_t>(static_cast<std::uint64_t>(format.bias()) << format.fraction_bits);
  if (mode.sat && pattern > one)
    return one;
  return static_cast<std::uint16_t>(mode.ftz ? flush_subnormal(format, pattern) : pattern);
}

}  // namespace detail

[[nodiscard]] inline std::uint16_t add(const Format& format, std::uint16_t a, std::uint16_t b,
                                       const HalfMode& mode) noexcept {
  const double sum = add_to_odd(detail::half_operand(format, a, mode), detail::half_operand(format, b, mode));
  return detail::half_result(format, sum, mode);
}

[[nodiscard]] inline std::uint16_t mul(const Format& format, std::uint16_t a, std::uint16_t b,
                                       const HalfMode& mode) noexcept {
  const double product = detail::half_operand(format, a, mode) * detail::half_operand(format, b, mode);
  return detail::half_result(format, product, mode);
}

[[nodiscard]] inline std::uint16_t fma(const Format& format, std::uint16_t a, std::uint16_t b, std::uint16_t c,
                                       const HalfMode& mode) noexcept {
  const double product = detail::half_operand(format, a, mode) * detail::half_operand(format, b, mode);
  return detail::half_result(format, add_to_odd(product, detail::half_operand(format, c, mode)), mode);
}

// neg and abs (9.7.4.5, 9.7.4.6) touch the sign alone, of a NaN as well ("unspecified" there).
[[nodiscard]] constexpr std::uint32_t negate_x2(std::uint32_t a) noexcept { return a ^ 0x8000'8000U; }
[[nodiscard]] constexpr std::uint32_t absolute_x2(std::uint32_t a) noexcept { return a & 0x7FFF'7FFFU; }

// Applies an operation on halves to both of them: on_both([](auto x, auto y) { return ...; }, a, b).
template <class Operation, class... Words>
[[nodiscard]] constexpr std::uint32_t on_both(Operation&& operation, Words... words) noexcept {
  const auto low = static_cast<std::uint16_t>(operation(static_cast<std::uint16_t>(words)...));
  const auto high = static_cast<std::uint16_t>(operation(static_cast<std::uint16_t>(words >> 16)...));
  return std::uint32_t{high} << 16 | low;
}

}  // namespace attentune::numerics
