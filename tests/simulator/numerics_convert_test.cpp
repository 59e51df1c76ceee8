#include "runtime/simulator/numerics/convert.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>

#include "tests/simulator/numerics_reference.h"

using namespace attentune::numerics;
using reference::every_rounding;

namespace {

std::uint64_t of(float value) { return std::bit_cast<std::uint32_t>(value); }
std::uint64_t of(double value) { return std::bit_cast<std::uint64_t>(value); }
std::uint32_t word(float value) { return std::bit_cast<std::uint32_t>(value); }

constexpr std::uint64_t f32_nan = 0x7FC0'0000;

}  // namespace

TEST_CASE("cvt: between integers") {
  // A narrower destination cuts, a wider one extends by the source's sign, .sat clamps.
  CHECK(convert({.to = Number::u8, .from = Number::s32}, 0x1FF) == 0xFF);
  CHECK(convert({.to = Number::s8, .from = Number::s32}, 0x1FF) == ~std::uint64_t{0});
  CHECK(convert({.to = Number::s64, .from = Number::s32}, 0xFFFF'FFFF) == ~std::uint64_t{0});
  CHECK(convert({.to = Number::u64, .from = Number::u32}, 0xFFFF'FFFF) == 0xFFFF'FFFF);
  CHECK(convert({.to = Number::u64, .from = Number::s32}, 0xFFFF'FFFF) == ~std::uint64_t{0});
  CHECK(convert({.to = Number::u32, .from = Number::s16}, 0x8000) == 0xFFFF'8000);
  CHECK(convert({.to = Number::u32, .from = Number::u64}, 0x5'0000'0007) == 7);
  CHECK(convert({.to = Number::u8, .from = Number::s32, .sat = true}, 0xFFFF'FFFF) == 0);
  CHECK(convert({.to = Number::s8, .from = Number::s32, .sat = true}, 1000) == 127);
  CHECK(convert({.to = Number::s8, .from = Number::s32, .sat = true}, 0xFFFF'0000) == 0xFFFF'FFFF'FFFF'FF80);
  CHECK(convert({.to = Number::s32, .from = Number::u32, .sat = true}, 0xFFFF'FFFF) == 0x7FFF'FFFF);
  CHECK(convert({.to = Number::u64, .from = Number::s64, .sat = true}, std::uint64_t{1} << 63) == 0);
}

TEST_CASE("cvt: floats to integers round, clamp, and turn NaN into what section 9.7.9.21 says") {
  const auto to = [](Number type, Rounding rounding, double value) {
    return convert({.to = type, .from = Number::f64, .rounding = rounding}, of(value));
  };
  for (const auto& [value, rni, rzi, rmi, rpi] : {std::array{2.5, 2., 2., 2., 3.},
                                                  {3.5, 4., 3., 3., 4.},
                                                  {-2.5, -2., -2., -3., -2.},
                                                  {0.5, 0., 0., 0., 1.},
                                                  {-0.25, 0., 0., -1., 0.},
                                                  {1e-300, 0., 0., 0., 1.},
                                                  {-7., -7., -7., -7., -7.}}) {
    const auto integer = [](double x) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(x)); };
    CHECK(to(Number::s32, Rounding::nearest_even, value) == integer(rni));
    CHECK(to(Number::s32, Rounding::toward_zero, value) == integer(rzi));
    CHECK(to(Number::s32, Rounding::down, value) == integer(rmi));
    CHECK(to(Number::s32, Rounding::up, value) == integer(rpi));
  }
  CHECK(to(Number::u8, Rounding::nearest_even, 255.5) == 255);
  CHECK(to(Number::u32, Rounding::toward_zero, -1.0) == 0);
  CHECK(to(Number::s16, Rounding::toward_zero, -1e9) == 0xFFFF'FFFF'FFFF'8000);
  CHECK(to(Number::u64, Rounding::toward_zero, 0x1.8p63) == 0xC000'0000'0000'0000);
  CHECK(to(Number::u64, Rounding::toward_zero, 1e300) == ~std::uint64_t{0});
  CHECK(to(Number::s64, Rounding::toward_zero, -HUGE_VAL) == std::uint64_t{1} << 63);
  CHECK(to(Number::s64, Rounding::toward_zero, 0x1p62 + 1024) == (std::uint64_t{1} << 62) + 1024);

  CHECK(convert({.to = Number::s32, .from = Number::f32}, f32_nan) == 0);
  CHECK(convert({.to = Number::u16, .from = Number::f16}, 0x7FFF) == 0);
  CHECK(convert({.to = Number::s64, .from = Number::f32}, f32_nan) == std::uint64_t{1} << 63);
  CHECK(convert({.to = Number::u32, .from = Number::f64}, of(std::nan(""))) == 0x8000'0000);
  // .ftz: 2^-130 is subnormal, so rounding up no longer sees it.
  CHECK(convert({.to = Number::s32, .from = Number::f32, .rounding = Rounding::up}, of(0x1p-130F)) == 1);
  CHECK(convert({.to = Number::s32, .from = Number::f32, .rounding = Rounding::up, .ftz = true}, of(0x1p-130F)) == 0);
  CHECK(convert({.to = Number::s32, .from = Number::bf16, .rounding = Rounding::up}, 0x4049) == 4);  // 3.140625
}

TEST_CASE("cvt: integers to floats against exact comparison, in every mode") {
  std::mt19937_64 random{4};
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t source = random() >> (random() % 64);
    // long double holds 64 bits exactly.
    const auto exact = static_cast<long double>(static_cast<std::int64_t>(source));
    const auto check = [&]<class Float>(Float nearest, Number type) {
      const Float above = nearest >= exact ? nearest : std::nextafter(nearest, std::numeric_limits<Float>::infinity());
      const Float below = nearest <= exact ? nearest : std::nextafter(nearest, -std::numeric_limits<Float>::infinity());
      const Float to_zero = source >> 63 != 0 ? above : below;
      const auto convert_with = [&](Rounding rounding) {
        return convert({.to = type, .from = Number::s64, .rounding = rounding}, source);
      };
      REQUIRE(convert_with(Rounding::nearest_even) == of(nearest));
      REQUIRE(convert_with(Rounding::up) == of(above));
      REQUIRE(convert_with(Rounding::down) == of(below));
      REQUIRE(convert_with(Rounding::toward_zero) == of(to_zero));
    };
    check(static_cast<float>(static_cast<std::int64_t>(source)), Number::f32);
    check(static_cast<double>(static_cast<std::int64_t>(source)), Number::f64);
    REQUIRE(convert({.to = Number::f32, .from = Number::u64}, source) == of(static_cast<float>(source)));
  }
  CHECK(convert({.to = Number::f16, .from = Number::s32}, 2049) == 0x6800);  // 2048: the tie goes to even
  CHECK(convert({.to = Number::f16, .from = Number::u32}, 100'000) == 0x7C00);
  CHECK(convert({.to = Number::bf16, .from = Number::s8}, 0xFF) == 0xBF80);
  CHECK(convert({.to = Number::f32, .from = Number::u8}, 0) == 0);
  CHECK(convert({.to = Number::f32, .from = Number::s32, .sat = true}, 5) == of(1.0F));
}

TEST_CASE("cvt: f64 to f32 in every mode, as the machine's rounding modes have it") {
  constexpr std::pair<Rounding, int> modes[] = {{Rounding::nearest_even, FE_TONEAREST},
                                                {Rounding::toward_zero, FE_TOWARDZERO},
                                                {Rounding::down, FE_DOWNWARD},
                                                {Rounding::up, FE_UPWARD}};
  std::mt19937_64 random{5};
  for (int i = 0; i < 100'000; ++i) {
    volatile double value =
        std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), static_cast<int>(random() % 340) - 240);
    for (const auto& [rounding, machine] : modes) {
      std::fesetround(machine);
      volatile float expected = static_cast<float>(value);
      std::fesetround(FE_TONEAREST);
      REQUIRE(convert({.to = Number::f32, .from = Number::f64, .rounding = rounding}, of(double{value})) ==
              of(float{expected}));
    }
  }
}

TEST_CASE("cvt: f32 to each small format against a search among its numbers, in every mode") {
  reference::Random random{6};
  for (const auto& [type, format] :
       {std::pair{Number::f16, f16}, {Number::bf16, bf16}, {Number::e4m3, e4m3}, {Number::e5m2, e5m2}}) {
    const std::vector<double> list = reference::magnitudes(format);
    for (int i = 0; i < 20'000; ++i) {
      const auto value = std::bit_cast<float>((random() & 0xBFFF'FFFF) | (i % 2 == 0 ? 0x3800'0000 : 0));
      if (std::fabs(static_cast<double>(value)) > list.back())
        continue;
      for (const Rounding rounding : every_rounding) {
        const std::uint64_t expected = value == 0
                                           ? (std::signbit(value) ? format.sign() : 0)
                                           : reference::rounded(format, list, static_cast<double>(value), rounding);
        REQUIRE(convert({.to = type, .from = Number::f32, .rounding = rounding}, of(value)) == expected);
      }
    }
  }
}

TEST_CASE("cvt: modifiers by hand") {
  const Conversion to_f16{.to = Number::f16, .from = Number::f32};
  CHECK(convert(to_f16, f32_nan | 0x8000'0000) == 0x7FFF);  // one NaN, without sign or payload
  CHECK(convert(to_f16, of(1e9F)) == 0x7C00);
  CHECK(convert({.to = Number::f16, .from = Number::f32, .satfinite = true}, of(1e9F)) == 0x7BFF);
  CHECK(convert({.to = Number::f16, .from = Number::f32, .satfinite = true}, f32_nan) == 0x7FFF);
  CHECK(convert({.to = Number::f16, .from = Number::f32, .relu = true}, of(-3.0F)) == 0);
  CHECK(convert({.to = Number::f16, .from = Number::f32, .relu = true}, of(-0.0F)) == 0);
  CHECK(convert({.to = Number::f16, .from = Number::f32, .relu = true}, f32_nan) == 0x7FFF);
  CHECK(convert({.to = Number::f32, .from = Number::f32, .sat = true}, of(1.5F)) == of(1.0F));
  CHECK(convert({.to = Number::f32, .from = Number::f32, .sat = true}, f32_nan) == 0);
  CHECK(convert({.to = Number::f32, .from = Number::f64, .ftz = true}, of(-0x1p-130)) == 0x8000'0000);
  CHECK(convert({.to = Number::f32, .from = Number::f16}, 0x0001) == of(0x1p-24F));
  CHECK(convert({.to = Number::f32, .from = Number::bf16}, 0xFFC0) == 0x7FFF'FFFF);
  CHECK(convert({.to = Number::f32, .from = Number::f32, .to_integral = true}, of(-2.5F)) == of(-2.0F));
  CHECK(convert({.to = Number::f32, .from = Number::f32, .rounding = Rounding::up, .to_integral = true}, of(-0.5F)) ==
        of(-0.0F));
  CHECK(convert({.to = Number::f64, .from = Number::f32}, of(0.1F)) == of(static_cast<double>(0.1F)));
  // tf32 keeps 10 bits; a tie goes away from zero with .rna and to even with .rn.
  const Conversion to_tf32{.to = Number::tf32, .from = Number::f32, .rounding = Rounding::nearest_away};
  CHECK(convert(to_tf32, 0x3F80'1000) == 0x3F80'2000);
  CHECK(convert(to_tf32, 0xBF80'1000) == 0xBF80'2000);
  CHECK(convert(to_tf32, 0x3F80'0FFF) == 0x3F80'0000);
  CHECK(convert({.to = Number::tf32, .from = Number::f32}, 0x3F80'1000) == 0x3F80'0000);
  CHECK(convert(to_tf32, 0x7F80'0000) == 0x7F80'0000);
}

TEST_CASE("cvt: packed forms put the first source high") {
  CHECK(convert_pair({.to = Number::f16, .from = Number::f32}, word(1.0F), word(2.0F)) == 0x3C00'4000);
  CHECK(convert_pair({.to = Number::bf16, .from = Number::f32}, word(1.0F), word(-2.0F)) == 0x3F80'C000);
  const Conversion to_e4m3{.to = Number::e4m3, .from = Number::f32, .satfinite = true};
  CHECK(convert_pair(to_e4m3, word(1.0F), word(-1e9F)) == 0x38FE);
  CHECK(convert_pair(to_e4m3, word(std::numeric_limits<float>::infinity()), 0x7FC0'0000) == 0x7E7F);
  CHECK(convert_packed({.to = Number::f16, .from = Number::e4m3}, 0x38FE) == 0x3C00'DF00);  // 1, -448
  CHECK(convert_packed({.to = Number::f16, .from = Number::e5m2}, 0x3CFC) == 0x3C00'FC00);  // 1, -inf
  CHECK(convert_packed({.to = Number::e4m3, .from = Number::f16, .satfinite = true}, 0x3C00'DF00) == 0x38FE);
  CHECK(convert_packed({.to = Number::e5m2, .from = Number::f16, .relu = true, .satfinite = true}, 0x7C00'BC00) ==
        0x7B00);
  for (std::uint32_t pattern = 0; pattern < 0x100; ++pattern) {  // every byte survives the way to f16 and back
    for (const auto& [type, format] : {std::pair{Number::e4m3, e4m3}, {Number::e5m2, e5m2}}) {
      const std::uint32_t half = convert_packed({.to = Number::f16, .from = type}, pattern << 8) >> 16;
      const std::uint64_t expected = format.is_nan(pattern) ? format.nan : pattern;
      CHECK(convert({.to = type, .from = Number::f16}, half) == expected);
    }
  }
}
