#include <doctest/doctest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>

#include "runtime/simulator/numerics/float_arithmetic.h"
#include "runtime/simulator/numerics/half_arithmetic.h"
#include "runtime/simulator/numerics/min_max.h"
#include "tests/simulator/numerics_reference.h"

using namespace attentune;
using namespace attentune::numerics;

namespace {

std::uint32_t word(float value) { return std::bit_cast<std::uint32_t>(value); }

constexpr std::uint32_t nan_word = 0x7FFF'FFFF;
constexpr float infinity = std::numeric_limits<float>::infinity();

// The operation on the machine's own unit in one of its rounding modes; volatile keeps it there.
template <class Operation>
std::uint32_t on_machine(int mode, Operation operation, float a, float b, float c) {
  volatile float x = a;
  volatile float y = b;
  volatile float z = c;
  std::fesetround(mode);
  volatile float result = operation(x, y, z);
  std::fesetround(FE_TONEAREST);
  return std::isnan(result) ? nan_word : word(result);
}

// Any float; every other one near 1, where sums cancel and products stay in range.
float any_float(reference::Random& random) {
  const std::uint32_t pattern = random();
  return std::bit_cast<float>(random() % 2 == 0 ? pattern : (pattern & 0x81FF'FFFF) | 0x3E00'0000);
}

}  // namespace

TEST_CASE("f32 arithmetic in every mode is the machine's") {
  reference::Random random{7};
  for (const auto& [rounding, machine] : {std::pair{Rounding::nearest_even, FE_TONEAREST},
                                          {Rounding::toward_zero, FE_TOWARDZERO},
                                          {Rounding::down, FE_DOWNWARD},
                                          {Rounding::up, FE_UPWARD}}) {
    const FloatMode mode{.rounding = rounding};
    for (int i = 0; i < 60'000; ++i) {
      const float a = any_float(random);
      const float b = i % 50 == 0 ? -a : any_float(random);
      const float c = i % 7 == 0 ? -a * b : any_float(random);
      REQUIRE(word(add(a, b, mode)) == on_machine(machine, [](float x, float y, float) { return x + y; }, a, b, c));
      REQUIRE(word(mul(a, b, mode)) == on_machine(machine, [](float x, float y, float) { return x * y; }, a, b, c));
      REQUIRE(word(div(a, b, mode)) == on_machine(machine, [](float x, float y, float) { return x / y; }, a, b, c));
      REQUIRE(word(sqrt(a, mode)) == on_machine(machine, [](float x, float, float) { return std::sqrt(x); }, a, b, c));
      REQUIRE(word(fma(a, b, c, mode)) ==
              on_machine(machine, [](float x, float y, float z) { return std::fma(x, y, z); }, a, b, c));
    }
  }
}

TEST_CASE("f32 arithmetic: flags and special values by hand") {
  CHECK(word(add(infinity, -infinity, {})) == nan_word);
  CHECK(word(mul(0.0F, infinity, {.rounding = Rounding::up})) == nan_word);
  CHECK(word(fma(infinity, 1.0F, -infinity, {.rounding = Rounding::down})) == nan_word);
  CHECK(word(add(1.0F, -1.0F, {.rounding = Rounding::down})) == 0x8000'0000);
  CHECK(word(add(-0.0F, -0.0F, {.rounding = Rounding::up})) == 0x8000'0000);
  CHECK(word(add(-0.0F, 0.0F, {.rounding = Rounding::up})) == 0);
  CHECK(word(fma(1.0F, 1.0F, -1.0F, {.rounding = Rounding::down})) == 0x8000'0000);
  // One rounding: (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24.
  CHECK(fma(1 + 0x1p-12F, 1 + 0x1p-12F, -(1 + 0x1p-11F), {}) == 0x1p-24F);
  CHECK(word(mul(0x1p-100F, 0x1p-30F, {.ftz = true})) == 0);
  CHECK(word(mul(-0x1p-100F, 0x1p-30F, {.ftz = true})) == 0x8000'0000);
  CHECK(mul(0x1p-130F, 0x1p30F, {}) == 0x1p-100F);
  CHECK(mul(0x1p-130F, 0x1p30F, {.ftz = true}) == 0.0F);
  CHECK(add(0.75F, 0.75F, {.sat = true}) == 1.0F);
  CHECK(word(add(-0.75F, 0.25F, {.sat = true})) == 0);
  CHECK(word(add(infinity, -infinity, {.sat = true})) == 0);
  CHECK(rcp(4.0F, {}) == 0.25F);
  CHECK(rcp(-0.0F, {}) == -infinity);
  CHECK(word(sqrt(-1.0F, {})) == nan_word);
}

TEST_CASE("f16 arithmetic rounds the exact result once") {
  // Integers times 2^-48 hold every f16, every product and every sum.
  std::vector<__int128> list;
  for (const double magnitude : reference::magnitudes(f16))
    list.push_back(static_cast<__int128>(magnitude * 0x1p24) << 24);
  reference::Random random{8};
  const auto fixed = [](std::uint16_t pattern) {
    return static_cast<__int128>(reference::value_of(f16, pattern) * 0x1p24);
  };
  int compared = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto a = static_cast<std::uint16_t>(random() & 0xBFFF);
    const auto b = static_cast<std::uint16_t>(random() & 0xBFFF);
    const auto c = static_cast<std::uint16_t>(i % 3 == 0 ? random() & 0xBFFF : mul(f16, a, b, {}) ^ 0x8000);
    const auto check = [&](__int128 exact, std::uint16_t result) {
      if (exact == 0 || exact > list.back() || exact < -list.back())
        return;
      ++compared;
      REQUIRE(result == reference::rounded(f16, list, exact, Rounding::nearest_even));
    };
    check(fixed(a) * fixed(b), mul(f16, a, b, {}));
    check((fixed(a) + fixed(b)) << 24, add(f16, a, b, {}));
    check(fixed(a) * fixed(b) + (fixed(c) << 24), fma(f16, a, b, c, {}));
  }
  CHECK(compared > 400'000);
}

TEST_CASE("bf16 fma rounds the exact result once") {
  // Magnitudes from 2^-16 to 2^15: multiples of 2^-23, their products of 2^-46.
  const std::vector<double> all = reference::magnitudes(bf16);
  std::vector<__int128> list;
  for (const double magnitude : all)
    list.push_back(magnitude < 0x1p60 ? static_cast<__int128>(magnitude * 0x1p46) : __int128{1} << 126);
  reference::Random random{9};
  const auto draw = [&] {
    return static_cast<std::uint16_t>((random() & 0x8FFF) % 0x1000 + 0x3780 + (random() & 0x8000));
  };
  const auto fixed = [](std::uint16_t pattern) {
    return static_cast<__int128>(reference::value_of(bf16, pattern) * 0x1p23);
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::uint16_t a = draw();
    const std::uint16_t b = draw();
    const auto c = static_cast<std::uint16_t>(i % 2 == 0 ? draw() : mul(bf16, a, b, {}) ^ 0x8000);
    if ((c & 0x7FFF) < 0x3780)
      continue;
    const __int128 exact = fixed(a) * fixed(b) + (fixed(c) << 23);
    const __int128 size = exact < 0 ? -exact : exact;
    if (size < __int128{1} << 12)  // the list is cut to integers below that
      continue;
    REQUIRE(fma(bf16, a, b, c, {}) == reference::rounded(bf16, list, exact, Rounding::nearest_even));
  }
}

TEST_CASE("bf16 fma sees an addend too small for f64 to hold beside the product") {
  // 7 * 37 = 259 lies halfway between 258 and 260; 2^-60 decides.
  CHECK(fma(bf16, 0x40E0, 0x4214, 0x0000, {}) == 0x4382);
  CHECK(fma(bf16, 0x40E0, 0x4214, 0xA180, {}) == 0x4381);
  // 5 * 53 = 265 between 264 and 266.
  CHECK(fma(bf16, 0x40A0, 0x4254, 0x0000, {}) == 0x4384);
  CHECK(fma(bf16, 0x40A0, 0x4254, 0x2180, {}) == 0x4385);
}

TEST_CASE("half arithmetic: flags by hand") {
  CHECK(add(f16, 0x3C00, 0x3C00, {}) == 0x4000);
  CHECK(add(f16, 0x7C00, 0xFC00, {}) == 0x7FFF);
  CHECK(add(f16, 0x7BFF, 0x7BFF, {}) == 0x7C00);
  CHECK(add(f16, 0x3C00, 0x3C00, {.sat = true}) == 0x3C00);
  CHECK(add(f16, 0x7C00, 0xFC00, {.sat = true}) == 0);
  CHECK(add(f16, 0xC000, 0x3C00, {.relu = true}) == 0);
  CHECK(add(f16, 0x7C00, 0xFC00, {.relu = true}) == 0x7FFF);
  CHECK(mul(f16, 0x0400, 0x3800, {}) == 0x0200);
  CHECK(mul(f16, 0x8400, 0x3800, {.ftz = true}) == 0x8000);
  CHECK(add(f16, 0x0200, 0x0400, {.ftz = true}) == 0x0400);
  CHECK(fma(bf16, 0x4000, 0x4040, 0xBF80, {}) == 0x40A0);  // 2 * 3 - 1
  CHECK(fma(bf16, 0x4000, 0x4040, 0xBF80, {.relu = true}) == 0x40A0);
  CHECK(on_both([](auto x, auto y) { return add(f16, x, y, {}); }, 0x3C00'4000U, 0x3C00'C000U) == 0x4000'0000);
  CHECK(negate_x2(0x3C00'C000) == 0xBC00'4000);
  CHECK(absolute_x2(0xBC00'C000) == 0x3C00'4000);
}

TEST_CASE("min and max") {
  CHECK(minimum(f32, word(1.0F), word(-2.0F)) == word(-2.0F));
  CHECK(maximum(f32, word(1.0F), word(-2.0F)) == word(1.0F));
  CHECK(maximum(f32, word(-1.0F), word(-2.0F)) == word(-1.0F));
  CHECK(minimum(f32, word(0.0F), word(-0.0F)) == word(-0.0F));
  CHECK(maximum(f32, word(-0.0F), word(0.0F)) == word(0.0F));
  CHECK(minimum(f32, 0x7FC0'0001, word(3.0F)) == word(3.0F));
  CHECK(maximum(f32, word(3.0F), 0xFFC0'0001) == word(3.0F));
  CHECK(maximum(f32, 0x7FC0'0001, 0xFFC0'0001) == nan_word);
  CHECK(maximum(f32, 0x7FC0'0001, word(3.0F), {.nan = true}) == nan_word);
  CHECK(maximum(f16, 0x7E00, 0x3C00, {.nan = true}) == 0x7FFF);
  CHECK(maximum(bf16, 0xFF80, 0x0000) == 0x0000);
  CHECK(minimum(f64, f64.infinity(), std::bit_cast<std::uint64_t>(1.0)) == std::bit_cast<std::uint64_t>(1.0));
  CHECK(maximum(f32, word(-0x1p-130F), word(-1.0F), {.ftz = true}) == word(-0.0F));
  // |-3| against |2|, with the sign of (-3) xor (2).
  CHECK(maximum(f16, 0xC200, 0x4000, {.xorsign_abs = true}) == 0xC200);
  CHECK(minimum(f16, 0xC200, 0xC000, {.xorsign_abs = true}) == 0x4000);

  reference::Random random{10};
  for (int i = 0; i < 100'000; ++i) {
    const float a = any_float(random);
    const float b = any_float(random);
    if (std::isnan(a) || std::isnan(b) || a == b)
      continue;
    REQUIRE(minimum(f32, word(a), word(b)) == word(a < b ? a : b));
    REQUIRE(maximum(f32, word(a), word(b)) == word(a > b ? a : b));
  }
}
