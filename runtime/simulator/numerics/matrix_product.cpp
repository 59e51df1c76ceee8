#include "runtime/simulator/numerics/matrix_product.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/simulator/numerics/float_arithmetic.h"
#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics {
namespace {

using Row = std::array<double, 8>;
using Tile = std::array<Row, 16>;

void read_accumulator(bool f16_accumulator, std::span<const Lanes> d, Tile& tile) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    for (int lane = 0; lane < 32; ++lane) {
      const Place place = place_in_d(lane, static_cast<int>(i));
      const std::uint32_t word = d[f16_accumulator ? i / 2 : i][static_cast<std::size_t>(lane)];
      tile[static_cast<std::size_t>(place.row)][static_cast<std::size_t>(place.column)] =
          f16_accumulator ? decode_float(f16, word >> (16 * (i % 2))) : std::bit_cast<float>(word);
    }
  }
}

std::uint32_t rounded_to_f32(double value) noexcept {
  return std::bit_cast<std::uint32_t>(canonical(static_cast<float>(value)));
}

void write_accumulator(bool f16_accumulator, const Tile& tile, std::span<Lanes> d) noexcept {
  for (int lane = 0; lane < 32; ++lane) {
    std::array<double, 4> values{};
    for (int i = 0; i < 4; ++i) {
      const Place place = place_in_d(lane, i);
      values[static_cast<std::size_t>(i)] =
          tile[static_cast<std::size_t>(place.row)][static_cast<std::size_t>(place.column)];
    }
    for (std::size_t reg = 0; reg < (f16_accumulator ? 2 : 4); ++reg) {
      const auto half = [&](std::size_t i) {
        return static_cast<std::uint32_t>(encode(f16, values[i], Rounding::nearest_even));
      };
      d[reg][static_cast<std::size_t>(lane)] =
          f16_accumulator ? half(2 * reg + 1) << 16 | half(2 * reg) : rounded_to_f32(values[reg]);
    }
  }
}

void add_products(int k, const double* a, const Row* b, Tile& tile) noexcept {
  for (std::size_t row = 0; row < 16; ++row) {
    Row sum = tile[row];
    for (int i = 0; i < k; ++i) {
      const double factor = a[row * static_cast<std::size_t>(k) + static_cast<std::size_t>(i)];
      for (std::size_t column = 0; column < 8; ++column)
        sum[column] += factor * b[i][column];
    }
    tile[row] = sum;
  }
}

// 2^floor(log2(value)) of a normal number.
double leading_bit(double value) noexcept {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) & 0x7FF0'0000'0000'0000U);
}

constexpr double kept = 1 << 13;  // of the largest addend's leading bit, the smallest unit that survives

double cut_sum(std::int32_t units) noexcept {
  const double sum = units;
  const double unit = std::max(1.0, leading_bit(sum) / kept);
  return std::trunc(sum / unit) * unit;
}

void add_products_hopper_fp8(int k, const double* a, const Row* b, Tile& tile) noexcept {
  std::array<Row, longest_k> products;
  for (std::size_t row = 0; row < 16; ++row) {
    Row plain = tile[row];
    Row largest{};
    for (std::size_t column = 0; column < 8; ++column)
      largest[column] = std::fabs(plain[column]);
    for (int i = 0; i < k; ++i) {
      const double factor = a[row * static_cast<std::size_t>(k) + static_cast<std::size_t>(i)];
      Row& product = products[static_cast<std::size_t>(i)];
      for (std::size_t column = 0; column < 8; ++column) {
        product[column] = factor * b[i][column];
        plain[column] += product[column];
        largest[column] = std::max(largest[column], std::fabs(product[column]));
      }
    }
    // The plain sum is kept where it says it all: zero addends only, or an infinity or NaN among them.
    for (std::size_t column = 0; column < 8; ++column) {
      if (largest[column] == 0 || !std::isfinite(plain[column])) {
        tile[row][column] = plain[column];
        continue;
      }
      const double unit = leading_bit(largest[column]) / kept;
      const double units_per_one = 1 / unit;
      auto sum = static_cast<std::int32_t>(tile[row][column] * units_per_one);  // the cast cuts toward zero
      for (int i = 0; i < k; ++i)
        sum += static_cast<std::int32_t>(products[static_cast<std::size_t>(i)][column] * units_per_one);
      tile[row][column] = cut_sum(sum) * unit;
    }
  }
}

}  // namespace

void multiply_tile(const TileProduct& form, std::span<const float> a, std::span<const float> b,
                   std::span<Lanes> d) noexcept {
  std::array<double, 16 * longest_k> left;
  std::copy_n(a.begin(), 16 * form.k, left.begin());
  std::array<Row, longest_k> right;
  for (int i = 0; i < form.k; ++i)
    std::copy_n(b.begin() + i * form.b_stride, 8, right[static_cast<std::size_t>(i)].begin());

  Tile tile{};
  if (form.accumulate)
    read_accumulator(form.f16_accumulator, d, tile);
  if (form.accumulation == Accumulation::hopper_fp8)
    add_products_hopper_fp8(form.k, left.data(), right.data(), tile);
  else
    add_products(form.k, left.data(), right.data(), tile);
  write_accumulator(form.f16_accumulator, tile, d);
}

}  // namespace attentune::numerics
