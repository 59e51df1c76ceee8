// wgmma.mma_async: the share of one warp, 16 of the 64 rows, on operands read before.
// Source: PTX ISA 9.0, section 9.7.15.5.2; fragments of A in registers and of D as fragment.h says.
#pragma once

#include <span>

#include "runtime/simulator/numerics/fragment.h"
#include "runtime/simulator/numerics/matrix_product.h"

namespace attentune::numerics {

struct WgmmaForm {
  int n = 8;   // 8 to 256, a multiple of 8
  int k = 16;  // 16 for f16 and bf16, 32 for fp8, 8 for tf32
  bool f16_accumulator = false;
  bool scale_d = true;  // false: D is not read
  bool negate_a = false;
  bool negate_b = false;
  Accumulation accumulation = Accumulation::one_rounding;

  [[nodiscard]] constexpr int d_registers() const noexcept { return f16_accumulator ? n / 4 : n / 2; }
};

// D of one warp. a: its rows 16 * warp + 0..15, 16 x k row-major; b: k x n row-major, the same for all four warps;
// d: form.d_registers() registers. Cost: n / 8 times that of an mma.
void wgmma(const WgmmaForm& form, std::span<const float> a, std::span<const float> b, std::span<Lanes> d) noexcept;

}  // namespace attentune::numerics
