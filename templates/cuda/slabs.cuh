// A tile in shared memory as the copy engine writes it and wgmma reads it: slabs of 64 columns, one after the other.
// A slab is ROWS rows of 128 bytes; the 128-byte swizzle exchanges the 16-byte chunks of a row by its number modulo 8,
// in terms of the address, so slabs begin at multiples of 1024 (PTX ISA 9.7.15.5.1.2). Columns past the tensor's are
// zeros: the copy engine fills what is out of bounds.
template <int ROWS, int COLUMNS>
struct SlabTile {
  enum : int {
    SLAB_COLUMNS = 64,
    ROW_BYTES = 128,
    SLAB_BYTES = ROWS * ROW_BYTES,
    SLABS = (COLUMNS + SLAB_COLUMNS - 1) / SLAB_COLUMNS,
    BYTES = SLABS * SLAB_BYTES,
    EIGHT_ROWS = 8 * ROW_BYTES,  // the pattern repeats
    STEP_BYTES = 16 * 2,         // columns of one instruction, where they are what it sums over
    STEPS_A_SLAB = SLAB_COLUMNS / 16,
  };

  // Where columns 8 * block to 8 * block + 7 of a row lie.
  INLINE static int offset(int row, int block) {
    return block / 8 * SLAB_BYTES + row * ROW_BYTES + ((block ^ row) % 8) * 16;
  }

  // As an operand whose columns are summed over (Q and K): groups of 8 rows lie EIGHT_ROWS apart; the other distance is
  // not used. Step k begins at by_columns(k) from the operand of step 0; inside a slab that moves along the row, and
  // the swizzle, being one of addresses, comes out right.
  INLINE static MatrixDescriptor summed_over_columns(u32 address) { return matrix_descriptor(address, 16, EIGHT_ROWS); }
  INLINE static int by_columns(int step) { return step / STEPS_A_SLAB * SLAB_BYTES + step % STEPS_A_SLAB * STEP_BYTES; }

  // As an operand whose rows are summed over (V): slabs of columns lie SLAB_BYTES apart, groups of 8 rows EIGHT_ROWS.
  INLINE static MatrixDescriptor summed_over_rows(u32 address) {
    return matrix_descriptor(address, SLAB_BYTES, EIGHT_ROWS);
  }
  INLINE static int by_rows(int step) { return step * 16 * ROW_BYTES; }
};

// Copies a tile, slab by slab; SlabTile::BYTES arrive at `barrier`.
template <class Tile>
INLINE void copy_slabs(u32 tile, const TensorMap& map, u32 barrier, int head, int row, int batch) {
  for (int slab = 0; slab < Tile::SLABS; ++slab) {
    copy_box(tile + (u32)(slab * Tile::SLAB_BYTES), map, barrier, slab * Tile::SLAB_COLUMNS, head, row, batch);
  }
}
