// mma.sync: D = A * B + C by one warp, on its registers.
// Source: PTX ISA 9.0, section 9.7.14.5 (fragments: .7 for m16n8k8, .8 for m16n8k16, .10 for m16n8k32).
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace attentune::numerics {

using Lanes = std::array<std::uint32_t, 32>;  // one 32-bit register of every lane of a warp

enum class MatrixType : std::uint8_t { f16, bf16, tf32, e4m3, e5m2 };
[[nodiscard]] int bits_of(MatrixType type) noexcept;

// m16n8k{k}.row.col. a and b differ only among e4m3 and e5m2.
struct MmaForm {
  int k = 16;  // 8 or 16 for f16, bf16; 4 or 8 for tf32; 16 or 32 for fp8
  MatrixType a = MatrixType::bf16;
  MatrixType b = MatrixType::bf16;
  bool f16_accumulator = false;  // C and D: f16x2 registers instead of f32

  [[nodiscard]] int a_registers() const noexcept;  // 2 or 4
  [[nodiscard]] int b_registers() const noexcept;  // half of them
  [[nodiscard]] int c_registers() const noexcept { return f16_accumulator ? 2 : 4; }
};

// The spans hold as many registers as the form says; d may be c. Model: products exact, C and the k products of one
// element summed in f64, one rounding to nearest of that sum to f32 (or f16). Hardware leaves order and rounding open
// (section 9.7.14.5.14), so compare with a tolerance. NaN results are canonical.
// Cost: about 1 us for m16n8k16.
void mma(const MmaForm& form, std::span<const Lanes> a, std::span<const Lanes> b, std::span<const Lanes> c,
         std::span<Lanes> d) noexcept;

}  // namespace attentune::numerics
