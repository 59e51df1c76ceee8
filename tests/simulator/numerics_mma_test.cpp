#include "runtime/simulator/numerics/mma.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/simulator/numerics/format.h"
#include "tests/simulator/numerics_reference.h"

using namespace attentune::numerics;

namespace {

// The formulas of sections 9.7.14.5.6 to .10, as they stand there: element i of a lane, counted over all its registers.
using Formula = Place (*)(int lane, int i);

Place a_m16n8k4_tf32(int lane, int i) { return {.row = i == 0 ? lane >> 2 : (lane >> 2) + 8, .column = lane % 4}; }
Place b_m16n8k4_tf32(int lane, int) { return {.row = lane % 4, .column = lane >> 2}; }

Place a_m16n8k8_16bit(int lane, int i) {
  return {.row = i < 2 ? lane >> 2 : (lane >> 2) + 8, .column = (lane % 4) * 2 + (i & 0x1)};
}
Place b_m16n8k8_16bit(int lane, int i) { return {.row = (lane % 4) * 2 + i, .column = lane >> 2}; }

Place a_m16n8k8_tf32(int lane, int i) {
  return {.row = i == 0 || i == 2 ? lane >> 2 : (lane >> 2) + 8, .column = i == 0 || i == 1 ? lane % 4 : lane % 4 + 4};
}
Place b_m16n8k8_tf32(int lane, int i) { return {.row = i == 0 ? lane % 4 : lane % 4 + 4, .column = lane >> 2}; }

Place a_m16n8k16_16bit(int lane, int i) {
  return {.row = (0 <= i && i < 2) || (4 <= i && i < 6) ? lane >> 2 : (lane >> 2) + 8,
          .column = i < 4 ? (lane % 4) * 2 + (i & 0x1) : (lane % 4) * 2 + (i & 0x1) + 8};
}
Place b_m16n8k16_16bit(int lane, int i) {
  return {.row = i < 2 ? (lane % 4) * 2 + (i & 0x1) : (lane % 4) * 2 + (i & 0x1) + 8, .column = lane >> 2};
}

Place a_m16n8k16_8bit(int lane, int i) {
  return {.row = i < 4 ? lane >> 2 : (lane >> 2) + 8, .column = (lane % 4) * 4 + (i & 0x3)};
}
Place b_m16n8k16_8bit(int lane, int i) { return {.row = (lane % 4) * 4 + i, .column = lane >> 2}; }

Place a_m16n8k32_8bit(int lane, int i) {
  return {.row = (0 <= i && i < 4) || (8 <= i && i < 12) ? lane >> 2 : (lane >> 2) + 8,
          .column = i < 8 ? (lane % 4) * 4 + (i & 0x3) : (lane % 4) * 4 + (i & 0x3) + 16};
}
Place b_m16n8k32_8bit(int lane, int i) {
  return {.row = i < 4 ? (lane % 4) * 4 + (i & 0x3) : (lane % 4) * 4 + (i & 0x3) + 16, .column = lane >> 2};
}

Place c_m16n8(int lane, int i) {
  return {.row = i < 2 ? lane >> 2 : (lane >> 2) + 8, .column = (lane % 4) * 2 + (i & 0x1)};
}

struct Shape {
  const char* name;
  MmaForm form;
  Formula a;
  Formula b;
};

constexpr MatrixType t16 = MatrixType::f16;
constexpr MatrixType b16 = MatrixType::bf16;
constexpr MatrixType t32 = MatrixType::tf32;
constexpr MatrixType t43 = MatrixType::e4m3;
constexpr MatrixType t52 = MatrixType::e5m2;

const Shape shapes[] = {
    {"m16n8k4 tf32", {.k = 4, .a = t32, .b = t32}, a_m16n8k4_tf32, b_m16n8k4_tf32},
    {"m16n8k8 tf32", {.k = 8, .a = t32, .b = t32}, a_m16n8k8_tf32, b_m16n8k8_tf32},
    {"m16n8k8 f16", {.k = 8, .a = t16, .b = t16}, a_m16n8k8_16bit, b_m16n8k8_16bit},
    {"m16n8k8 bf16", {.k = 8, .a = b16, .b = b16}, a_m16n8k8_16bit, b_m16n8k8_16bit},
    {"m16n8k16 f16", {.k = 16, .a = t16, .b = t16}, a_m16n8k16_16bit, b_m16n8k16_16bit},
    {"m16n8k16 bf16", {.k = 16, .a = b16, .b = b16}, a_m16n8k16_16bit, b_m16n8k16_16bit},
    {"m16n8k16 e4m3 e5m2", {.k = 16, .a = t43, .b = t52}, a_m16n8k16_8bit, b_m16n8k16_8bit},
    {"m16n8k32 e4m3", {.k = 32, .a = t43, .b = t43}, a_m16n8k32_8bit, b_m16n8k32_8bit},
    {"m16n8k32 e5m2 e4m3", {.k = 32, .a = t52, .b = t43}, a_m16n8k32_8bit, b_m16n8k32_8bit},
    {"m16n8k8 f16 to f16", {.k = 8, .a = t16, .b = t16, .f16_accumulator = true}, a_m16n8k8_16bit, b_m16n8k8_16bit},
    {"m16n8k16 f16 to f16", {.k = 16, .a = t16, .b = t16, .f16_accumulator = true}, a_m16n8k16_16bit, b_m16n8k16_16bit},
    {"m16n8k32 e5m2 to f16", {.k = 32, .a = t52, .b = t52, .f16_accumulator = true}, a_m16n8k32_8bit, b_m16n8k32_8bit},
};

double element(MatrixType type, std::span<const Lanes> registers, int lane, int i) {
  const int bits = bits_of(type);
  const std::uint32_t word = registers[static_cast<std::size_t>(i * bits / 32)][static_cast<std::size_t>(lane)];
  const auto pattern =
      static_cast<std::uint32_t>((std::uint64_t{word} >> (i * bits % 32)) & ((std::uint64_t{1} << bits) - 1));
  switch (type) {
    case t16:
      return reference::value_of(f16, pattern);
    case b16:
      return reference::value_of(bf16, pattern);
    case t43:
      return reference::value_of(e4m3, pattern);
    case t52:
      return reference::value_of(e5m2, pattern);
    case t32:
      return reference::value_of(tf32, pattern >> 13);
  }
  return 0;
}

std::vector<double> matrix(MatrixType type, std::span<const Lanes> registers, Formula formula, int rows, int columns) {
  std::vector<double> values(static_cast<std::size_t>(rows * columns), std::nan(""));
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < static_cast<int>(registers.size()) * 32 / bits_of(type); ++i) {
      const Place place = formula(lane, i);
      values[static_cast<std::size_t>(place.row * columns + place.column)] = element(type, registers, lane, i);
    }
  }
  return values;
}

// Finite numbers below 2 of any of the formats: the top exponent bit of each element cleared.
std::vector<Lanes> random_registers(reference::Random& random, int count, std::uint32_t mask) {
  std::vector<Lanes> registers(static_cast<std::size_t>(count));
  for (Lanes& lanes : registers) {
    for (std::uint32_t& word : lanes)
      word = random() & mask;
  }
  return registers;
}

constexpr std::uint32_t mask_for(MatrixType type) {
  return bits_of(type) == 32 ? 0xBFFF'FFFF : bits_of(type) == 16 ? 0xBFFF'BFFF : 0xBFBF'BFBF;
}

struct Filled {
  std::vector<Lanes> a, b, c;
};

Filled ones(const MmaForm& form, std::uint32_t a, std::uint32_t b) {
  Lanes a_lanes;
  Lanes b_lanes;
  a_lanes.fill(a);
  b_lanes.fill(b);
  return {.a = std::vector<Lanes>(static_cast<std::size_t>(form.a_registers()), a_lanes),
          .b = std::vector<Lanes>(static_cast<std::size_t>(form.b_registers()), b_lanes),
          .c = std::vector<Lanes>(static_cast<std::size_t>(form.c_registers()))};
}

std::vector<Lanes> run(const MmaForm& form, const Filled& registers) {
  std::vector<Lanes> d(static_cast<std::size_t>(form.c_registers()));
  mma(form, registers.a, registers.b, registers.c, d);
  return d;
}

}  // namespace

TEST_CASE("mma: every shape against a triple loop over the ISA's own formulas") {
  reference::Random random{13};
  for (const Shape& shape : shapes) {
    CAPTURE(shape.name);
    const MmaForm& form = shape.form;
    for (int repetition = 0; repetition < 5; ++repetition) {
      const std::vector<Lanes> a = random_registers(random, form.a_registers(), mask_for(form.a));
      const std::vector<Lanes> b = random_registers(random, form.b_registers(), mask_for(form.b));
      std::vector<Lanes> c =
          random_registers(random, form.c_registers(), form.f16_accumulator ? 0xBFFF'BFFF : 0xBFFF'FFFF);
      const std::vector<Lanes> before = c;
      mma(form, a, b, c, c);  // D over C, as kernels do

      const std::vector<double> left = matrix(form.a, a, shape.a, 16, form.k);
      const std::vector<double> right = matrix(form.b, b, shape.b, form.k, 8);
      for (int lane = 0; lane < 32; ++lane) {
        for (int i = 0; i < 4; ++i) {
          const Place place = c_m16n8(lane, i);
          const auto at = static_cast<std::size_t>(lane);
          const auto reg = static_cast<std::size_t>(form.f16_accumulator ? i / 2 : i);
          const std::uint32_t half = before[reg][at] >> (16 * (i % 2)) & 0xFFFF;
          double sum = form.f16_accumulator ? reference::value_of(f16, half) : std::bit_cast<float>(before[reg][at]);
          for (int k = 0; k < form.k; ++k)
            sum += left[static_cast<std::size_t>(place.row * form.k + k)] *
                   right[static_cast<std::size_t>(k * 8 + place.column)];
          if (form.f16_accumulator)
            REQUIRE((c[reg][at] >> (16 * (i % 2)) & 0xFFFF) == encode(f16, sum, Rounding::nearest_even));
          else
            REQUIRE(std::bit_cast<float>(c[reg][at]) == static_cast<float>(sum));
        }
      }
    }
  }
}

TEST_CASE("mma: one element of every fragment register, by hand") {
  // Lane 6: group 1, thread 2 of its group.
  struct Expected {
    MatrixType type;
    int reg;
    int element;
    Place place;
  };
  const Expected in_a[] = {
      {b16, 0, 0, {1, 4}},  {b16, 1, 1, {9, 5}}, {b16, 2, 0, {1, 12}}, {b16, 3, 1, {9, 13}},
      {t43, 0, 3, {1, 11}}, {t43, 1, 0, {9, 8}}, {t43, 2, 1, {1, 25}}, {t43, 3, 2, {9, 26}},
      {t32, 0, 0, {1, 2}},  {t32, 1, 0, {9, 2}}, {t32, 2, 0, {1, 6}},  {t32, 3, 0, {9, 6}},
  };
  for (const Expected& expected : in_a) {
    const int k = 8 * elements_per_register(expected.type);
    std::vector<Lanes> a(4);
    // 1.0 in every format: f16 would differ, so bf16, e4m3 and tf32 stand for their widths.
    const std::uint32_t one = expected.type == b16 ? 0x3F80 : expected.type == t43 ? 0x38 : 0x3F80'0000;
    a[static_cast<std::size_t>(expected.reg)][6] = one << (expected.element * bits_of(expected.type));
    std::vector<float> found(static_cast<std::size_t>(16 * k));
    decode_a(expected.type, a, found);
    for (int row = 0; row < 16; ++row) {
      for (int column = 0; column < k; ++column) {
        const bool here = row == expected.place.row && column == expected.place.column;
        CHECK(found[static_cast<std::size_t>(row * k + column)] == (here ? 1.0F : 0.0F));
      }
    }
  }
  const Expected in_b[] = {{b16, 0, 1, {5, 1}},  {b16, 1, 0, {12, 1}}, {t43, 0, 2, {10, 1}},
                           {t43, 1, 3, {27, 1}}, {t32, 0, 0, {2, 1}},  {t32, 1, 0, {6, 1}}};
  for (const Expected& expected : in_b) {
    const int k = 8 * elements_per_register(expected.type);
    std::vector<Lanes> b(2);
    const std::uint32_t one = expected.type == b16 ? 0x3F80 : expected.type == t43 ? 0x38 : 0x3F80'0000;
    b[static_cast<std::size_t>(expected.reg)][6] = one << (expected.element * bits_of(expected.type));
    std::vector<float> found(static_cast<std::size_t>(8 * k));
    decode_b(expected.type, b, found);
    for (int row = 0; row < k; ++row) {
      for (int column = 0; column < 8; ++column) {
        const bool here = row == expected.place.row && column == expected.place.column;
        CHECK(found[static_cast<std::size_t>(row * 8 + column)] == (here ? 1.0F : 0.0F));
      }
    }
  }
  CHECK(place_in_d(6, 0) == Place{1, 4});
  CHECK(place_in_d(6, 1) == Place{1, 5});
  CHECK(place_in_d(6, 2) == Place{9, 4});
  CHECK(place_in_d(6, 3) == Place{9, 5});
}

TEST_CASE("mma: sums by hand") {
  const MmaForm form{};
  Filled bf16_ones = ones(form, 0x3F80'3F80, 0x4000'4000);  // 1 * 2 over k = 16
  for (const Lanes& lanes : run(form, bf16_ones)) {
    for (const std::uint32_t word : lanes)
      CHECK(std::bit_cast<float>(word) == 32.0F);
  }
  // One rounding: 2^24 + 16 * 2 is exact only as a sum, not step by step in f32 from 2^25 with odd products.
  bf16_ones = ones(form, 0x3F80'3F80, 0x3F80'3F80);
  bf16_ones.c[0][0] = std::bit_cast<std::uint32_t>(0x1p25F);
  CHECK(std::bit_cast<float>(run(form, bf16_ones)[0][0]) == 0x1p25F + 16);
  const MmaForm to_f16{.k = 16, .a = t16, .b = t16, .f16_accumulator = true};
  const Filled large = ones(to_f16, 0x7BFF'7BFF, 0x7BFF'7BFF);
  CHECK(run(to_f16, large)[1][31] == 0x7C00'7C00);
}

TEST_CASE("mma: infinities and NaN reach their row or column and no other") {
  const MmaForm form{};
  Filled registers = ones(form, 0x3F80'3F80, 0x3F80'3F80);
  registers.a[0][4] = 0x3F80'7F80;   // row 1: an infinity
  registers.a[1][8] = 0x7FC1'3F80;   // row 10: a NaN
  registers.b[0][20] = 0x3F80'0000;  // column 5, k 0: zero times the infinity of k 0
  const std::vector<Lanes> d = run(form, registers);
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const Place place = c_m16n8(lane, i);
      const std::uint32_t word = d[static_cast<std::size_t>(i)][static_cast<std::size_t>(lane)];
      const bool nan = place.row == 10 || (place.row == 1 && place.column == 5);
      const float expected = place.row == 1      ? std::numeric_limits<float>::infinity()
                             : place.column == 5 ? 15.0F
                                                 : 16.0F;
      CHECK(word == (nan ? 0x7FFF'FFFF : std::bit_cast<std::uint32_t>(expected)));
    }
  }
}
