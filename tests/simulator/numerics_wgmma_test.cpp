#include "runtime/simulator/numerics/wgmma.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <tuple>
#include <vector>

#include "runtime/reference/hopper_sum.h"
#include "runtime/simulator/numerics/format.h"
#include "tests/simulator/numerics_reference.h"

using namespace attentune::numerics;

namespace {

std::vector<float> random_matrix(reference::Random& random, const Format& format, int elements) {
  std::vector<float> values(static_cast<std::size_t>(elements));
  for (float& value : values)
    value = decode_float(format, random() & static_cast<std::uint32_t>(format.magnitude() >> 1));
  return values;
}

std::vector<Lanes> random_accumulator(reference::Random& random, int registers) {
  std::vector<Lanes> d(static_cast<std::size_t>(registers));
  for (Lanes& lanes : d) {
    for (std::uint32_t& word : lanes)
      word = std::bit_cast<std::uint32_t>(static_cast<float>(random() % 4096) / 64 - 32);
  }
  return d;
}

// Figures 149 and 153 of section 9.7.15.5.1.1: d0 d1 in row l / 4, d2 d3 eight rows below, the next four 8 columns on.
template <class Check>
void for_each_element(int n, Check check) {
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < n / 2; ++i) {
      const int row = lane / 4 + (i % 4 >= 2 ? 8 : 0);
      const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      check(static_cast<std::size_t>(lane), static_cast<std::size_t>(i), row, column);
    }
  }
}

}  // namespace

TEST_CASE("wgmma: one warp's rows against a triple loop") {
  reference::Random random{14};
  for (const auto& [n, k, negate_a, negate_b] : {std::tuple<int, int, bool, bool>{8, 16, false, false},
                                                 {24, 16, true, false},
                                                 {256, 32, false, true},
                                                 {64, 8, true, true}}) {
    const std::vector<float> a = random_matrix(random, bf16, 16 * k);
    const std::vector<float> b = random_matrix(random, bf16, k * n);
    const WgmmaForm form{.n = n, .k = k, .negate_a = negate_a, .negate_b = negate_b};
    std::vector<Lanes> d = random_accumulator(random, form.d_registers());
    const std::vector<Lanes> before = d;
    wgmma(form, a, b, d);
    for_each_element(n, [&](std::size_t lane, std::size_t i, int row, int column) {
      double sum = std::bit_cast<float>(before[i][lane]);
      for (int index = 0; index < k; ++index)
        sum += (negate_a ? -1.0 : 1.0) * a[static_cast<std::size_t>(row * k + index)] * (negate_b ? -1.0 : 1.0) *
               b[static_cast<std::size_t>(index * n + column)];
      REQUIRE(std::bit_cast<float>(d[i][lane]) == static_cast<float>(sum));
    });
  }
}

TEST_CASE("wgmma: without scale-d the accumulator is not read; f16 accumulators pack two columns") {
  const std::vector<float> a(16 * 16, 1.0F);
  std::vector<float> b(16 * 16);
  for (std::size_t i = 0; i < b.size(); ++i)
    b[i] = static_cast<float>(i % 16);  // column j: 16 * j
  std::vector<Lanes> d(8);
  for (Lanes& lanes : d)
    lanes.fill(0x7FC0'0000);
  wgmma({.n = 16, .scale_d = false}, a, b, d);
  for_each_element(16, [&](std::size_t lane, std::size_t i, int, int column) {
    REQUIRE(std::bit_cast<float>(d[i][lane]) == static_cast<float>(16 * column));
  });
  std::vector<Lanes> halves(4);
  wgmma({.n = 16, .f16_accumulator = true, .scale_d = false}, a, b, halves);
  CHECK(halves[0][0] == 0x4C00'0000);  // columns 0 and 1: 0, 16
  CHECK(halves[1][0] == 0x4C00'0000);  // eight rows below
  CHECK(halves[2][0] == 0x5880'5800);  // columns 8 and 9: 128, 144
  CHECK(halves[2][3] == 0x5B80'5B00);  // columns 14 and 15: 224, 240
}

TEST_CASE("wgmma: fp8 sums keep about 14 bits") {
  // 1 beside 2^-13 survives, beside 2^-14 it does not, and two halves of a lost bit are lost twice.
  const auto sum = [](std::vector<float> products, float accumulator) {
    std::vector<float> a(16 * 32);
    std::copy(products.begin(), products.end(), a.begin());
    const std::vector<float> b(32 * 8, 1.0F);
    std::vector<Lanes> d(4);
    d[0][0] = std::bit_cast<std::uint32_t>(accumulator);
    wgmma({.n = 8, .k = 32, .accumulation = Accumulation::hopper_fp8}, a, b, d);
    return std::bit_cast<float>(d[0][0]);
  };
  CHECK(sum({1.0F, 0x1p-13F}, 0) == 1 + 0x1p-13F);
  CHECK(sum({1.0F, 0x1p-14F}, 0) == 1.0F);
  CHECK(sum({1.0F, 0x1p-14F, 0x1p-14F}, 0) == 1.0F);
  CHECK(sum({-1.0F, -0x1.8p-13F}, 0) == -(1 + 0x1p-13F));
  CHECK(sum({1.0F}, 0x1p14F) == 0x1p14F);
  CHECK(sum({2.0F}, 0x1p14F) == 0x1p14F + 2);
  CHECK(sum({1.0F, 1.0F}, 0x1.fffcp13F) == 0x1p14F);  // the carry makes a longer sum, cut again
  CHECK(sum({}, 0) == 0.0F);
  CHECK(std::isinf(sum({1.0F}, HUGE_VALF)));
  CHECK(std::isnan(sum({-HUGE_VALF}, HUGE_VALF)));
}

TEST_CASE("wgmma: fp8 sums against the reference's model of the same accumulator") {
  reference::Random random{15};
  for (int repetition = 0; repetition < 20; ++repetition) {
    std::vector<float> a = random_matrix(random, e4m3, 16 * 32);
    for (float& value : a)
      value = random() % 2 == 0 ? -value : value;
    const std::vector<float> b = random_matrix(random, e4m3, 32 * 16);
    std::vector<Lanes> d = random_accumulator(random, 8);
    const std::vector<Lanes> before = d;
    wgmma({.n = 16, .k = 32, .accumulation = Accumulation::hopper_fp8}, a, b, d);
    for_each_element(16, [&](std::size_t lane, std::size_t i, int row, int column) {
      const float expected =
          attentune::hopper_step(std::bit_cast<float>(before[i][lane]), a.data() + row * 32, b.data() + column, 16, 32);
      REQUIRE(std::bit_cast<float>(d[i][lane]) == expected);
    });
  }
}
