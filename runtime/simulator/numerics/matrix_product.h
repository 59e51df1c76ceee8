// The 16 x 8 tile of a product that mma and wgmma are made of.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "runtime/simulator/numerics/fragment.h"

namespace attentune::numerics {

// How the k products of one element and its accumulator are added. PTX ISA 9.0, sections 9.7.14.5.14 and 9.7.15.5.2,
// leaves order and rounding open above single precision, so results are compared with a tolerance.
enum class Accumulation : std::uint8_t {
  one_rounding,  // exact products, their sum and the accumulator's in f64, then one rounding to f32 (or f16)
  // Every addend cut to 13 bits behind the leading bit of the largest one, the result cut the same way: the "around 14
  // bits" of H100 for fp8 operands (DeepSeek-V3 technical report, arXiv:2412.19437, section 3.5.2).
  hopper_fp8
};

inline constexpr int longest_k = 32;

// d (16 x 8: 4 registers of f32, or 2 of f16x2) = a * b, plus d itself if `accumulate`; without, d is not read.
// a: 16 x k row-major; b: k rows of 8, `b_stride` apart. k <= longest_k. NaN results are canonical.
struct TileProduct {
  int k = 16;
  int b_stride = 8;
  bool f16_accumulator = false;
  bool accumulate = true;
  Accumulation accumulation = Accumulation::one_rounding;
};
void multiply_tile(const TileProduct& form, std::span<const float> a, std::span<const float> b,
                   std::span<Lanes> d) noexcept;

}  // namespace attentune::numerics
