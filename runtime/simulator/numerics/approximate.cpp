#include "runtime/simulator/numerics/approximate.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "runtime/simulator/numerics/float_arithmetic.h"
#include "runtime/simulator/numerics/half_arithmetic.h"

namespace attentune::numerics {
namespace {

enum class Function : std::uint64_t { ex2 = 1, lg2, rcp, rsqrt, sqrt, tanh, sin, cos, div };

// The finalizer of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
  value = (value ^ value >> 27) * 0x94D049BB133111EBU;
  return value ^ value >> 31;
}

// Where within its bound an error falls, -1 to 1: decided by the seed, the function and its operands.
class Draw {
 public:
  Draw(std::uint64_t seed, Function function, std::uint64_t operands) noexcept
      : on_{seed != 0}, key_{mixed(mixed(seed ^ static_cast<std::uint64_t>(function) << 56) + operands)} {}

  [[nodiscard]] bool on() const noexcept { return on_; }
  [[nodiscard]] double fraction() const noexcept {
    return static_cast<double>(static_cast<std::int64_t>(key_) >> 11) * 0x1p-52;
  }

 private:
  bool on_;
  std::uint64_t key_;
};

// A value of the format at most `bound` from the truth, or the nearest one. `round` takes a double to the format's
// nearest value.
double moved_by(double truth, double bound, const Draw& draw, const auto& round) noexcept {
  const double nearest = round(truth);
  const bool exact = !std::isfinite(nearest) || nearest == 0;
  if (!draw.on() || exact)
    return nearest;
  const double moved = round(truth + bound * draw.fraction());
  return std::fabs(moved - truth) <= bound ? moved : nearest;
}

double to_f32(double value) noexcept { return static_cast<float>(value); }

float finished(double value, bool ftz) noexcept {
  const auto result = static_cast<float>(value);
  return canonical(ftz ? flush_subnormal(result) : result);
}

float within(double truth, double bound, bool ftz, const Draw& draw) noexcept {
  return finished(moved_by(truth, bound, draw, to_f32), ftz);
}

// Bounds in ulp count from the correctly rounded result; below a power of two the smaller ulp is taken.
float within_ulps(double truth, int ulps, bool ftz, const Draw& draw) noexcept {
  const float nearest = static_cast<float>(truth);
  const double ulp = std::fabs(static_cast<double>(nearest) - std::nextafter(nearest, 0.0F));
  const float moved = within(nearest, ulps * ulp, false, draw);
  const bool crossed_zero = std::signbit(moved) != std::signbit(nearest);
  return finished(crossed_zero ? nearest : moved, ftz);
}

float operand(float value, bool ftz) noexcept { return ftz ? flush_subnormal(value) : value; }

Draw draw_for(std::uint64_t seed, Function function, float a, float b = 0) noexcept {
  return {seed, function,
          static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(a)) << 32 | std::bit_cast<std::uint32_t>(b)};
}

// Absolute errors by range, sections 9.7.3.18 and .19; beyond 100 pi nothing is promised, and the last bound is kept.
double trigonometric_bound(float a) noexcept {
  return std::fabs(a) <= 2 * std::numbers::pi ? std::exp2(-20.5) : std::exp2(-14.7);
}

// `truth` as a half, moved within `bound`.
std::uint16_t half_within(const Format& format, double truth, double bound, const Draw& draw) noexcept {
  const auto pattern_of = [&](double value) {
    return static_cast<std::uint16_t>(encode(format, value, Rounding::nearest_even));
  };
  return pattern_of(
      moved_by(truth, bound, draw, [&](double value) { return decode_float(format, pattern_of(value)); }));
}

}  // namespace

float ex2_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  return x == 0 ? 1.0F : within_ulps(std::exp2(static_cast<double>(x)), 2, ftz, draw_for(seed, Function::ex2, x));
}

float lg2_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  const double truth = std::log2(static_cast<double>(x));
  const bool absolute = x > 0.5F && x < 2.0F;
  return within(truth, absolute ? 0x1p-22 : std::fabs(truth) * 0x1p-22, ftz, draw_for(seed, Function::lg2, x));
}

float rcp_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  return within_ulps(1 / static_cast<double>(x), 1, ftz, draw_for(seed, Function::rcp, x));
}

float rsqrt_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  const double truth = 1 / std::sqrt(static_cast<double>(x));
  return within(truth, truth * std::exp2(-22.9), ftz, draw_for(seed, Function::rsqrt, x));
}

float sqrt_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  const double truth = std::sqrt(static_cast<double>(x));
  return within(truth, truth * 0x1p-23, ftz, draw_for(seed, Function::sqrt, x));
}

float tanh_approx(float a, std::uint64_t seed) noexcept {
  if (std::isinf(a) || (std::fabs(a) < std::numeric_limits<float>::min()))  // subnormals pass through
    return std::isinf(a) ? std::copysign(1.0F, a) : a;
  const double truth = std::tanh(static_cast<double>(a));
  return within(truth, std::fabs(truth) * 0x1p-11, false, draw_for(seed, Function::tanh, a));
}

float sin_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  return within(std::sin(static_cast<double>(x)), trigonometric_bound(x), ftz, draw_for(seed, Function::sin, x));
}

float cos_approx(float a, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  if (x == 0)
    return 1.0F;
  return within(std::cos(static_cast<double>(x)), trigonometric_bound(x), ftz, draw_for(seed, Function::cos, x));
}

float div_full(float a, float b, bool ftz, std::uint64_t seed) noexcept {
  const float x = operand(a, ftz);
  const float y = operand(b, ftz);
  return within_ulps(static_cast<double>(x) / y, 2, ftz, draw_for(seed, Function::div, x, y));
}

float div_approx(float a, float b, bool ftz, std::uint64_t seed) noexcept {
  const bool beyond = std::fabs(b) > 0x1p126F && std::isfinite(b);
  if (!beyond || std::isnan(a))
    return div_full(a, b, ftz, seed);
  if (std::isinf(a))
    return canonical(std::numeric_limits<float>::quiet_NaN());
  return std::signbit(a) != std::signbit(b) ? -0.0F : 0.0F;
}

std::uint16_t ex2_approx(const Format& format, std::uint16_t a, std::uint64_t seed) noexcept {
  const auto flushed = [&](std::uint16_t pattern) {
    return static_cast<std::uint16_t>(format == bf16 ? flush_subnormal(format, pattern) : pattern);
  };
  const double x = decode_float(format, flushed(a));
  const double truth = std::exp2(x);
  const double bound = x == 0 ? 0 : truth * (format == bf16 ? 0x1p-7 : std::exp2(-9.9));
  return flushed(half_within(format, truth, bound, {seed, Function::ex2, a}));
}

std::uint16_t tanh_approx(const Format& format, std::uint16_t a, std::uint64_t seed) noexcept {
  const double x = decode_float(format, a);
  const double bound = std::isinf(x) ? 0 : format == bf16 ? 0x1p-8 : std::exp2(-10.987);
  return half_within(format, std::tanh(x), bound, {seed, Function::tanh, a});
}

std::uint32_t ex2_approx_x2(const Format& format, std::uint32_t a, std::uint64_t seed) noexcept {
  return on_both([&](std::uint16_t half) { return ex2_approx(format, half, seed); }, a);
}

std::uint32_t tanh_approx_x2(const Format& format, std::uint32_t a, std::uint64_t seed) noexcept {
  return on_both([&](std::uint16_t half) { return tanh_approx(format, half, seed); }, a);
}

}  // namespace attentune::numerics
