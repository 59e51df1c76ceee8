// Where the chunks of a tile lie in shared memory: rows of CHUNKS 16-byte chunks, each row PITCH chunks after the last.
//
// ldmatrix reads one chunk of 8 consecutive rows at a time, and shared memory serves eight 16-byte granules at once if
// they differ modulo 8 (128 bytes: 32 banks of 4). An odd pitch has that property as it is (PADDED adds a chunk where
// needed). An even pitch, divisible by PERIOD = 2, 4 or 8, puts rows 8/PERIOD apart on the same granules, so the chunk
// number is XORed with row / (8/PERIOD) modulo PERIOD, which permutes chunks inside aligned groups of PERIOD. For rows
// of 128 bytes that is the 128B swizzle of the PTX ISA (9.7.14.10, "swizzling modes").
template <int CHUNKS, bool PADDED>
struct SharedTile {
  enum : int {
    PITCH = PADDED ? CHUNKS | 1 : CHUNKS,
    PERIOD = PITCH % 8 == 0   ? 8
             : PITCH % 4 == 0 ? 4
             : PITCH % 2 == 0 ? 2
                              : 1,
    ROW_BYTES = 16 * PITCH,
  };

  // What the chunk numbers of a row are XORed with.
  INLINE static u32 swizzle(u32 row) { return row / (8 / PERIOD) % PERIOD; }

  // Bytes from the tile's start, which is a multiple of 128.
  INLINE static u32 offset(int row, int chunk) { return (u32)row * ROW_BYTES + ((u32)chunk ^ swizzle((u32)row)) * 16; }

  // The address of (row + rows, chunk + chunks) from that of (row, chunk), where `row` and `rows` have no bit of the
  // lowest three in common, for chunk 0 or, with `chunks` even, chunk 1, or any chunk where `chunks` is 0: whole
  // periods add up, the rest is one XOR, because rows begin at multiples of PERIOD chunks.
  INLINE static u32 moved(u32 address, int rows, int chunks) {
    const u32 inside = (u32)chunks % PERIOD;
    return (address ^ (inside ^ swizzle((u32)rows)) * 16) + ((u32)chunks - inside) * 16 + (u32)rows * ROW_BYTES;
  }
};
