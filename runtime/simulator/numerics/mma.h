// mma.sync: D = A * B + C by one warp, on its registers.
// Source: PTX ISA 9.0, section 9.7.14.5.14.
#pragma once

#include <span>

#include "runtime/simulator/numerics/fragment.h"
#include "runtime/simulator/numerics/matrix_product.h"

namespace attentune::numerics {

// m16n8k{k}.row.col. a and b differ only among e4m3 and e5m2.
struct MmaForm {
  int k = 16;  // 8 or 16 for f16 and bf16; 4 or 8 for tf32; 16 or 32 for fp8
  MatrixType a = MatrixType::bf16;
  MatrixType b = MatrixType::bf16;
  bool f16_accumulator = false;  // C and D: f16x2 registers instead of f32

  [[nodiscard]] constexpr int a_registers() const noexcept { return k / (2 * elements_per_register(a)); }
  [[nodiscard]] constexpr int b_registers() const noexcept { return a_registers() / 2; }
  [[nodiscard]] constexpr int c_registers() const noexcept { return f16_accumulator ? 2 : 4; }
};

// The spans hold as many registers as the form says; d may be c.
void mma(const MmaForm& form, std::span<const Lanes> a, std::span<const Lanes> b, std::span<const Lanes> c,
         std::span<Lanes> d) noexcept;

}  // namespace attentune::numerics
