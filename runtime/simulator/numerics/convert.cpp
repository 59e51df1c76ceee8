#include "runtime/simulator/numerics/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics {
namespace {

bool is_signed(Number type) noexcept { return type >= Number::s8 && type <= Number::s64; }
bool is_integer(Number type) noexcept { return type <= Number::s64; }

const Format& format_of(Number type) noexcept {
  switch (type) {
    case Number::f16:
      return f16;
    case Number::bf16:
      return bf16;
    case Number::tf32:
      return tf32;
    case Number::f64:
      return f64;
    case Number::e4m3:
      return e4m3;
    case Number::e5m2:
      return e5m2;
    default:
      return f32;
  }
}

std::uint64_t low_bits(int count) noexcept { return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

// The low bits of `value` as an integer of `type`, extended to 64.
std::uint64_t extended(std::uint64_t value, Number type) noexcept {
  const int unused = 64 - bits_of(type);
  return is_signed(type) ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused)
                         : value & low_bits(bits_of(type));
}

Parts integer_parts(std::uint64_t source, Number type) noexcept {
  const std::uint64_t value = extended(source, type);
  const bool negative = is_signed(type) && value >> 63 != 0;
  return {.negative = negative, .significand = negative ? 0 - value : value};
}

// The nearest integer of `type` to a sign and magnitude.
std::uint64_t clamped(bool negative, std::uint64_t magnitude, Number type) noexcept {
  const std::uint64_t most = low_bits(is_signed(type) ? bits_of(type) - 1 : bits_of(type));
  const std::uint64_t least = is_signed(type) ? most + 1 : 0;
  return negative ? 0 - std::min(magnitude, least) : std::min(magnitude, most);
}

double float_value(const Conversion& form, std::uint64_t source) noexcept {
  if (form.from == Number::f64)
    return std::bit_cast<double>(source);
  const auto pattern = static_cast<std::uint32_t>(source & low_bits(bits_of(form.from)));
  if (form.from == Number::tf32)
    return tf32_of(pattern);
  const float value = decode_float(format_of(form.from), pattern);
  return form.ftz && form.from == Number::f32 ? flush_subnormal(value) : value;
}

std::uint64_t integer_from_float(const Conversion& form, double value) noexcept {
  const int bits = bits_of(form.to);
  if (std::isnan(value))
    return form.from == Number::f64 || bits == 64 ? std::uint64_t{1} << (bits - 1) : 0;
  if (std::fabs(value) >= 0x1p64)
    return clamped(value < 0, ~std::uint64_t{0}, form.to);
  const Parts exact = parts(value);
  return clamped(exact.negative, shift_and_round(exact.negative, exact.significand, -exact.exponent, form.rounding),
                 form.to);
}

double integral(double value, Rounding rounding) noexcept {
  switch (rounding) {
    case Rounding::nearest_even:
      return std::nearbyint(value);
    case Rounding::nearest_away:
      return std::round(value);
    case Rounding::toward_zero:
      return std::trunc(value);
    case Rounding::down:
      return std::floor(value);
    case Rounding::up:
      return std::ceil(value);
  }
  return value;
}

std::uint64_t float_from_float(const Conversion& form, double source) noexcept {
  const Format& format = format_of(form.to);
  const double value = form.to_integral ? integral(source, form.rounding) : source;
  if (form.sat && !(value > 0))
    return 0;
  const double clipped = form.sat ? std::min(value, 1.0) : value;
  if (form.relu && !std::isnan(clipped) && std::signbit(clipped))
    return 0;
  const std::uint64_t pattern =
      encode(format, clipped, form.rounding, form.satfinite ? Overflow::saturate : Overflow::infinity);
  return form.ftz && form.to == Number::f32 ? flush_subnormal(format, pattern) : pattern;
}

std::uint64_t float_from_integer(const Conversion& form, std::uint64_t source) noexcept {
  const Parts value = integer_parts(source, form.from);
  const bool above_one = value.significand > 1;
  if (value.significand == 0 || (form.sat && value.negative))
    return 0;
  return encode(format_of(form.to), form.sat && above_one ? Parts{.significand = 1} : value, form.rounding);
}

}  // namespace

int bits_of(Number type) noexcept {
  switch (type) {
    case Number::u8:
    case Number::s8:
    case Number::e4m3:
    case Number::e5m2:
      return 8;
    case Number::u16:
    case Number::s16:
    case Number::f16:
    case Number::bf16:
      return 16;
    case Number::u64:
    case Number::s64:
    case Number::f64:
      return 64;
    default:
      return 32;
  }
}

std::uint64_t convert(const Conversion& form, std::uint64_t source) noexcept {
  if (is_integer(form.to)) {
    if (!is_integer(form.from))
      return integer_from_float(form, float_value(form, source));
    const Parts value = integer_parts(source, form.from);
    return form.sat ? clamped(value.negative, value.significand, form.to)
                    : extended(extended(source, form.from), form.to);
  }
  const std::uint64_t pattern =
      is_integer(form.from) ? float_from_integer(form, source) : float_from_float(form, float_value(form, source));
  return form.to == Number::tf32 ? pattern << 13 : pattern;
}

std::uint32_t convert_pair(const Conversion& form, std::uint32_t high, std::uint32_t low) noexcept {
  const int bits = bits_of(form.to) % 32;  // 8 or 16
  return static_cast<std::uint32_t>(convert(form, high) << bits | convert(form, low));
}

std::uint32_t convert_packed(const Conversion& form, std::uint32_t source) noexcept {
  return convert_pair(form, source >> bits_of(form.from) % 32, source);
}

}  // namespace attentune::numerics
