#include "runtime/simulator/numerics/format.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/simulator/numerics_reference.h"

using namespace attentune::numerics;
using reference::every_rounding;

namespace {

constexpr Format small_formats[] = {f16, bf16, e4m3, e5m2};

void check_pattern(const Format& format, std::uint64_t pattern) {
  const float value = decode_float(format, static_cast<std::uint32_t>(pattern));
  if (format.is_nan(pattern)) {
    REQUIRE(std::isnan(value));
    REQUIRE(encode(format, value, Rounding::nearest_even) == format.nan);
    return;
  }
  const bool infinite = (pattern & format.magnitude()) > format.largest();
  if (infinite)
    REQUIRE(std::isinf(value));
  else
    REQUIRE(static_cast<double>(value) == reference::value_of(format, pattern));
  REQUIRE(std::signbit(value) == ((pattern & format.sign()) != 0));
  for (const Rounding rounding : every_rounding)
    REQUIRE(encode(format, value, rounding) == pattern);
}

}  // namespace

TEST_CASE("numerics: formats by hand") {
  CHECK(decode_float(f16, 0x3C00) == 1.0F);
  CHECK(decode_float(f16, 0x7BFF) == 65504.0F);
  CHECK(decode_float(f16, 0x0001) == 0x1p-24F);
  CHECK(decode_float(f16, 0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(decode_float(bf16, 0x3F80) == 1.0F);
  CHECK(decode_float(bf16, 0x0001) == 0x1p-133F);
  CHECK(decode_float(e4m3, 0x7E) == 448.0F);
  CHECK(decode_float(e4m3, 0x01) == 0x1p-9F);
  CHECK(std::isnan(decode_float(e4m3, 0xFF)));
  CHECK(decode_float(e5m2, 0x7B) == 57344.0F);
  CHECK(decode_float(e5m2, 0x01) == 0x1p-16F);
  CHECK(std::isinf(decode_float(e5m2, 0x7C)));
  CHECK(tf32_of(0x3F80'1FFF) == 1.0F);
  CHECK(f32.infinity() == 0x7F80'0000);
  CHECK(f64.largest() == 0x7FEF'FFFF'FFFF'FFFF);
}

TEST_CASE("numerics: every pattern of the small formats is read as IEEE 754 says and written back") {
  for (const Format& format : small_formats) {
    for (std::uint64_t pattern = 0; pattern < std::uint64_t{1} << format.bits(); ++pattern)
      check_pattern(format, pattern);
  }
}

TEST_CASE("numerics: between any two neighbours every mode rounds as its name says, ties included") {
  for (const Format& format : small_formats) {
    const std::vector<double> list = reference::magnitudes(format);
    for (std::size_t i = 0; i + 1 < list.size(); ++i) {
      const double middle = (list[i] + list[i + 1]) / 2;
      for (const double point : {middle, std::nextafter(middle, 0.0), std::nextafter(middle, HUGE_VAL)}) {
        for (const Rounding rounding : every_rounding) {
          REQUIRE(encode(format, point, rounding) == reference::rounded(format, list, point, rounding));
          REQUIRE(encode(format, -point, rounding) == reference::rounded(format, list, -point, rounding));
        }
      }
    }
  }
}

TEST_CASE("numerics: beyond the largest number") {
  // The tie between 65504 and the next number of an unbounded exponent, 65536.
  CHECK(encode(f16, 65519.99, Rounding::nearest_even) == 0x7BFF);
  CHECK(encode(f16, 65520.0, Rounding::nearest_even) == 0x7C00);
  CHECK(encode(f16, 65520.0, Rounding::toward_zero) == 0x7BFF);
  CHECK(encode(f16, 1e300, Rounding::down) == 0x7BFF);
  CHECK(encode(f16, 1e300, Rounding::up) == 0x7C00);
  CHECK(encode(f16, -1e300, Rounding::down) == 0xFC00);
  CHECK(encode(f16, -1e300, Rounding::up) == 0xFBFF);
  CHECK(encode(f16, 1e300, Rounding::nearest_even, Overflow::saturate) == 0x7BFF);
  CHECK(encode(f16, -HUGE_VAL, Rounding::nearest_even, Overflow::saturate) == 0xFBFF);
  CHECK(encode(f16, HUGE_VAL, Rounding::toward_zero) == 0x7C00);
  CHECK(encode(e4m3, 464.0, Rounding::nearest_even, Overflow::saturate) == 0x7E);
  for (const double beyond : {465.0, 512.0, 1000.0, 1e9, 1e300}) {
    CHECK(encode(e4m3, beyond, Rounding::nearest_even) == 0x7F);
    CHECK(encode(e4m3, -beyond, Rounding::nearest_even, Overflow::saturate) == 0xFE);
    CHECK(encode(e4m3, beyond, Rounding::toward_zero) == 0x7E);
  }
  CHECK(encode(e5m2, 61440.0, Rounding::nearest_even) == 0x7C);
  CHECK(encode(f32, 3.5e38, Rounding::nearest_even) == 0x7F80'0000);
  CHECK(encode(f32, 0x1.fffffefp127, Rounding::nearest_even) == 0x7F7F'FFFF);
}

TEST_CASE("numerics: f32 and f64 as the machine has them") {
  std::mt19937_64 random{1};
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random());
    const double nearer = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 300) - 180);
    for (const double x : {value, nearer}) {
      if (std::isnan(x))
        continue;
      REQUIRE(encode(f32, x, Rounding::nearest_even) == std::bit_cast<std::uint32_t>(static_cast<float>(x)));
      REQUIRE(encode(f64, x, Rounding::up) == std::bit_cast<std::uint64_t>(x));
    }
  }
}

#if defined(__clang__) && defined(__FLT16_MAX__)
TEST_CASE("numerics: f16 as the compiler's own type") {
  reference::Random random{2};
  for (int i = 0; i < 300'000; ++i) {
    const std::uint32_t pattern = random();
    const auto value = std::bit_cast<float>(i % 2 == 0 ? pattern : (pattern & 0x8FFF'FFFF) | 0x3000'0000);
    if (std::isnan(value))
      continue;
    const auto native = std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
    REQUIRE(encode(f16, value, Rounding::nearest_even) == native);
  }
}
#endif

TEST_CASE("numerics: a sum rounded to odd is exact or odd, and on the right side") {
  std::mt19937_64 random{3};
  for (int i = 0; i < 100'000; ++i) {
    const double a = std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), 0);
    const double b =
        std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), -static_cast<int>(random() % 50));
    const double sum = add_to_odd(a, b);
    // Both are integers times 2^-50.
    const auto fixed = [](double x) {
      const Parts p = parts(x);
      const __int128 magnitude = p.exponent >= -50 ? static_cast<__int128>(p.significand) << (p.exponent + 50)
                                                   : static_cast<__int128>(p.significand >> (-50 - p.exponent));
      return p.negative ? -magnitude : magnitude;
    };
    const __int128 exact = fixed(a) + fixed(b);
    if (fixed(sum) == exact)
      continue;
    REQUIRE((std::bit_cast<std::uint64_t>(sum) & 1) == 1);
    const double toward_zero = std::nextafter(sum, 0.0);
    const double away = std::nextafter(sum, sum * 2);
    const __int128 size = exact < 0 ? -exact : exact;
    REQUIRE(fixed(std::fabs(toward_zero)) < size);
    REQUIRE(size < fixed(std::fabs(away)));
  }
}
