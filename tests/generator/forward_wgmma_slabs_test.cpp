// Tiles in slabs: what the copy engine writes is what wgmma reads. Both are written out here from the PTX ISA; layout
// and descriptors are the very text kernels are made of.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace {

// What the files expect of CUDA C++.
#define __device__
#define __forceinline__ inline
#include "templates/cuda/types.cuh"
//
#include "templates/cuda/matrix_descriptor.cuh"

constexpr u32 shared_bytes = 228 * 1024;
constexpr int nothing = -1;

// A matrix of distinct numbers, and shared memory in units of one element.
struct TensorMap {
  int rows;
  int columns;
  int box_rows;
  std::vector<int>* shared;

  [[nodiscard]] int at(int row, int column) const {
    return row < rows && column < columns ? row * columns + column + 1 : 0;
  }
};

// 9.7.15.5.1.2, 128-byte swizzling: bits 4-6 of the address are exchanged by bits 7-9.
u32 swizzled(u32 address) { return address ^ ((address >> 7 & 7) << 4); }

// 5.5.1: the box is written row after row, 64 columns of 2 bytes each; zeros where it leaves the tensor.
void copy_box(u32 shared, const TensorMap& map, u32, int column, int row, int, int) {
  for (int r = 0; r < map.box_rows; ++r) {
    for (int c = 0; c < 64; ++c) {
      const u32 address = swizzled(shared + static_cast<u32>(r * 128 + c * 2));
      (*map.shared)[address / 2] = map.at(row + r, column + c);
    }
  }
}

#include "templates/cuda/slabs.cuh"
#undef __device__
#undef __forceinline__

// 9.7.15.5.1.2.2.
struct Operand {
  u32 start, leading, stride;
};

Operand operand(const MatrixDescriptor& descriptor) {
  const u64 bits = descriptor.bits();
  CHECK((bits >> 62) == 1);  // the 128-byte swizzle
  constexpr u64 base_offset_and_reserved = 0x3FFFC000C000C000;
  CHECK((bits & base_offset_and_reserved) == 0);
  const auto field = [&](int bit) { return static_cast<u32>(bits >> bit & 0x3FFF) * 16; };
  return {field(0), field(16), field(32)};
}

// 9.7.15.5.1.2: element (mn, k) of an operand of 16-bit elements, k < 16.
u32 k_major(const Operand& operand, int mn, int k) {
  return swizzled(operand.start + static_cast<u32>(mn / 8) * operand.stride + static_cast<u32>(mn % 8 * 128 + k * 2));
}

u32 mn_major(const Operand& operand, int mn, int k) {
  return swizzled(operand.start + static_cast<u32>(mn / 64) * operand.leading +
                  static_cast<u32>(k / 8) * operand.stride + static_cast<u32>(k % 8 * 128 + mn % 64 * 2));
}

template <int ROWS, int COLUMNS>
void check_tile(u32 tile) {
  using Tile = SlabTile<ROWS, COLUMNS>;
  CAPTURE(ROWS);
  CAPTURE(COLUMNS);
  std::vector<int> shared(shared_bytes / 2, nothing);
  // The tensor ends inside the tile, in both directions.
  const TensorMap map{.rows = 1000, .columns = COLUMNS, .box_rows = ROWS, .shared = &shared};
  const int first_row = 1000 - ROWS + 3;
  copy_slabs<Tile>(tile, map, 0, first_row, 0, 0);

  int written = 0;
  for (u32 n = 0; n < shared.size(); ++n) {
    const bool inside = n * 2 >= tile && n * 2 < tile + static_cast<u32>(Tile::BYTES);
    REQUIRE((shared[n] != nothing) == inside);
    written += inside ? 1 : 0;
  }
  CHECK(written * 2 == Tile::BYTES);

  bool same = true;
  for (int row = 0; row < ROWS; ++row) {
    for (int column = 0; column < Tile::SLABS * 64; column += 8)
      same &= shared[(tile + static_cast<u32>(Tile::offset(row, column / 8))) / 2] == map.at(first_row + row, column);
  }
  CHECK(same);

  same = true;
  for (int step = 0; step < (COLUMNS + 15) / 16; ++step) {
    // 64 rows, as each warpgroup's part of Q, and all rows, as K.
    for (int part = 0; part < ROWS; part += 64) {
      const Operand q = operand(
          Tile::summed_over_columns(tile + static_cast<u32>(part * Tile::ROW_BYTES)).moved(Tile::by_columns(step)));
      for (int mn = 0; mn < 64 && part + mn < ROWS; ++mn) {
        for (int k = 0; k < 16; ++k)
          same &= shared[k_major(q, mn, k) / 2] == map.at(first_row + part + mn, step * 16 + k);
      }
    }
    const Operand all = operand(Tile::summed_over_columns(tile).moved(Tile::by_columns(step)));
    for (int mn = 0; mn < ROWS; ++mn) {
      for (int k = 0; k < 16; ++k)
        same &= shared[k_major(all, mn, k) / 2] == map.at(first_row + mn, step * 16 + k);
    }
  }
  CHECK(same);

  same = true;
  for (int step = 0; step < ROWS / 16; ++step) {
    const Operand v = operand(Tile::summed_over_rows(tile).moved(Tile::by_rows(step)));
    for (int mn = 0; mn < COLUMNS; ++mn) {
      for (int k = 0; k < 16; ++k)
        same &= shared[mn_major(v, mn, k) / 2] == map.at(first_row + step * 16 + k, mn);
    }
  }
  CHECK(same);
}

}  // namespace

TEST_CASE("wgmma's operands are the rows and columns the copy engine brought") {
  check_tile<64, 64>(0);
  check_tile<128, 128>(32768);
  check_tile<192, 256>(1024);
  check_tile<256, 256>(65536 + 3072);
  check_tile<176, 128>(180224 - 1024);
  check_tile<80, 72>(99 * 1024);
  check_tile<64, 8>(227 * 1024 - 8192);
  check_tile<112, 200>(5 * 1024);
}
