#include "runtime/simulator/numerics/matrix_move.h"

#include <doctest/doctest.h>

using namespace attentune::numerics;

namespace {

// Element (row, column) is 0x100 * row + column.
Matrix8x8 numbered() {
  Matrix8x8 matrix{};
  for (std::uint32_t row = 0; row < 8; ++row) {
    for (std::uint32_t word = 0; word < 4; ++word)
      matrix[row][word] = (0x100 * row + 2 * word) | (0x100 * row + 2 * word + 1) << 16;
  }
  return matrix;
}

}  // namespace

TEST_CASE("ldmatrix: four lanes share a row, or with .trans a column") {
  const Lanes plain = load_matrix(numbered(), false);
  CHECK(plain[0] == 0x0001'0000);
  CHECK(plain[3] == 0x0007'0006);
  CHECK(plain[6] == 0x0105'0104);
  CHECK(plain[31] == 0x0707'0706);
  const Lanes transposed = load_matrix(numbered(), true);
  CHECK(transposed[0] == 0x0100'0000);
  CHECK(transposed[3] == 0x0700'0600);
  CHECK(transposed[6] == 0x0501'0401);  // column 1, rows 4 and 5
  CHECK(transposed[31] == 0x0707'0607);
}

TEST_CASE("ldmatrix: the lane that gives a row's address, the place a lane reads") {
  CHECK(address_lane(0, 7) == 7);
  CHECK(address_lane(3, 2) == 26);
  CHECK(place_in_matrix(6, 1, false) == Place{1, 5});
  CHECK(place_in_matrix(6, 1, true) == Place{5, 1});
}

TEST_CASE("stmatrix undoes ldmatrix; movmatrix transposes in registers") {
  for (const bool transposed : {false, true})
    CHECK(store_matrix(load_matrix(numbered(), transposed), transposed) == numbered());
  CHECK(transpose_matrix(load_matrix(numbered(), false)) == load_matrix(numbered(), true));
}
