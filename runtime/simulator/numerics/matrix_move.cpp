#include "runtime/simulator/numerics/matrix_move.h"

namespace attentune::numerics {

Lanes load_matrix(const Matrix8x8& matrix, bool transposed) noexcept {
  Lanes fragment{};
  for (int lane = 0; lane < 32; ++lane) {
    for (int half = 0; half < 2; ++half) {
      const Place place = place_in_matrix(lane, half, transposed);
      const std::uint32_t word =
          matrix[static_cast<std::size_t>(place.row)][static_cast<std::size_t>(place.column / 2)];
      const std::uint32_t element = word >> (16 * (place.column % 2)) & 0xFFFF;
      fragment[static_cast<std::size_t>(lane)] |= element << (16 * half);
    }
  }
  return fragment;
}

Matrix8x8 store_matrix(const Lanes& fragment, bool transposed) noexcept {
  Matrix8x8 matrix{};
  for (int lane = 0; lane < 32; ++lane) {
    for (int half = 0; half < 2; ++half) {
      const Place place = place_in_matrix(lane, half, transposed);
      const std::uint32_t element = fragment[static_cast<std::size_t>(lane)] >> (16 * half) & 0xFFFF;
      matrix[static_cast<std::size_t>(place.row)][static_cast<std::size_t>(place.column / 2)] |=
          element << (16 * (place.column % 2));
    }
  }
  return matrix;
}

Lanes transpose_matrix(const Lanes& fragment) noexcept { return load_matrix(store_matrix(fragment, false), true); }

}  // namespace attentune::numerics
