// ldmatrix, stmatrix, movmatrix on 8 x 8 matrices of 16-bit elements.
// Source: PTX ISA 9.0, sections 9.7.14.5.15 (ldmatrix), .16 (stmatrix), .17 (movmatrix).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/simulator/numerics/fragment.h"

namespace attentune::numerics {

// The 16 bytes at the address a lane gives: 8 elements, the first in the low half of word 0.
using MatrixRow = std::array<std::uint32_t, 4>;
using Matrix8x8 = std::array<MatrixRow, 8>;

// The lane whose address operand names a row. .x1 and .x2 ignore the addresses of the lanes above.
[[nodiscard]] constexpr int address_lane(int matrix, int row) noexcept { return 8 * matrix + row; }

// The element a lane's register holds in `half` (0: low bits); register j belongs to matrix j.
[[nodiscard]] constexpr Place place_in_matrix(int lane, int half, bool transposed) noexcept {
  const Place place{.row = lane / 4, .column = 2 * (lane % 4) + half};
  return transposed ? Place{.row = place.column, .column = place.row} : place;
}

[[nodiscard]] Lanes load_matrix(const Matrix8x8& matrix, bool transposed) noexcept;
[[nodiscard]] Matrix8x8 store_matrix(const Lanes& fragment, bool transposed) noexcept;
[[nodiscard]] Lanes transpose_matrix(const Lanes& fragment) noexcept;  // movmatrix.sync.aligned.m8n8.trans.b16

}  // namespace attentune::numerics
