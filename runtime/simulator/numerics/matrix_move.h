// ldmatrix, stmatrix, movmatrix: which lane's register holds which bytes of an 8x8 matrix of 16-bit elements.
// Source: PTX ISA 9.0, sections 9.7.14.5.15 (ldmatrix), .16 (stmatrix), .17 (movmatrix).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/simulator/numerics/mma.h"

namespace attentune::numerics {

// One row of 8 elements, 16 bytes, as 4 words; row r of matrix j is at the address lane 8 * j + r gives.
using MatrixRow = std::array<std::uint32_t, 4>;
using MatrixRows = std::array<MatrixRow, 8>;

// The lane whose address operand names row `row` of matrix `matrix`; x1 and x2 ignore the lanes above.
[[nodiscard]] constexpr int address_lane(int matrix, int row) noexcept { return 8 * matrix + row; }

// Register j of ldmatrix from the rows of matrix j: lane l holds elements 2 * (l % 4) and the next of row l / 4, or
// with .trans of column l / 4.
[[nodiscard]] Lanes load_matrix(const MatrixRows& rows, bool transposed) noexcept;
// The inverse, for stmatrix.
[[nodiscard]] MatrixRows store_matrix(const Lanes& fragment, bool transposed) noexcept;
// movmatrix.sync.aligned.m8n8.trans.b16.
[[nodiscard]] Lanes transpose_matrix(const Lanes& fragment) noexcept;

}  // namespace attentune::numerics
