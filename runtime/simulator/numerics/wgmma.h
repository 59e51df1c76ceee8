// wgmma.mma_async: the share of one warp, 16 of the 64 rows, on matrices read from registers or shared memory before.
// Source: PTX ISA 9.0, section 9.7.15.5 (register fragments: .1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/simulator/numerics/mma.h"

namespace attentune::numerics {

// How the products of one instruction are added.
enum class Accumulation : std::uint8_t {
  one_rounding,  // as mma does
  hopper_fp8     // every addend cut to 13 bits behind the largest one's leading bit, as H100 does for e4m3 and e5m2
};

struct WgmmaForm {
  int n = 8;   // 8 to 256, a multiple of 8
  int k = 16;  // 16 for f16 and bf16, 32 for fp8, 8 for tf32
  MatrixType a = MatrixType::bf16;
  MatrixType b = MatrixType::bf16;
  bool f16_accumulator = false;
  bool scale_d = true;  // false: D is not read
  bool negate_a = false;
  bool negate_b = false;
  Accumulation accumulation = Accumulation::one_rounding;

  [[nodiscard]] int d_registers() const noexcept { return f16_accumulator ? n / 4 : n / 2; }
};

// `count` elements of one type, packed as in memory, as floats.
void decode_elements(MatrixType type, std::span<const std::byte> bytes, std::span<float> out) noexcept;

// 16 x k, row-major, from the four A registers of the warp: its own rows 16 * warp + 0..15.
void decode_a_fragment(MatrixType type, std::span<const Lanes> a, std::span<float> rows) noexcept;

// D of the warp from A (16 x k, row-major) and B (k x n, row-major). d: form.d_registers() registers.
void wgmma(const WgmmaForm& form, std::span<const float> a, std::span<const float> b, std::span<Lanes> d) noexcept;

}  // namespace attentune::numerics
