// Copies between global memory and tiles in shared memory, 16 bytes a thread, by all threads of the block.

// Neighbouring lanes take neighbouring chunks of a row: LANES_PER_ROW of them, the power of two from CHUNKS on, so that
// a thread keeps its chunk and steps from row to row. (Lanes past CHUNKS stay idle.)
template <int CHUNKS>
struct CopyShape {
  enum : int {
    LANES_PER_ROW = CHUNKS <= 1    ? 1
                    : CHUNKS <= 2  ? 2
                    : CHUNKS <= 4  ? 4
                    : CHUNKS <= 8  ? 8
                    : CHUNKS <= 16 ? 16
                                   : 32,
    ROWS_PER_PASS = THREADS / LANES_PER_ROW,
  };
};

// Begins the copy of rows [0, ROWS) of GLOBAL_CHUNKS chunks each. Rows from `valid_rows` on and chunks past
// GLOBAL_CHUNKS become zeros: what lies there in global memory is never read. UNROLL is how many passes become code of
// their own: ROWS, for all of them, where it runs for every key tile.
template <class Tile, int ROWS, int CHUNKS, int GLOBAL_CHUNKS, int UNROLL, class Source>
INLINE void copy_tile(u32 tile, const Source& source, int valid_rows) {
  using Shape = CopyShape<CHUNKS>;
  static_assert((Shape::ROWS_PER_PASS & (Shape::ROWS_PER_PASS - 1)) == 0, "Tile::moved: no carry into the swizzle");
  const int chunk = threadIdx.x % Shape::LANES_PER_ROW;
  const int first_row = computed_here(threadIdx.x / Shape::LANES_PER_ROW);
  const int rows_left = chunk < GLOBAL_CHUNKS ? valid_rows - first_row : 0;
  if (chunk < CHUNKS) {
    const u32 start = tile + Tile::offset(first_row, chunk);
    auto row = source.template walk<Shape::ROWS_PER_PASS>(first_row);
#pragma unroll UNROLL
    for (int pass = 0; pass < ROWS; pass += Shape::ROWS_PER_PASS) {
      if (ROWS % Shape::ROWS_PER_PASS == 0 || first_row + pass < ROWS) {
        copy_async(Tile::moved(start, pass, 0), row.pointer() + chunk * 16, pass < rows_left ? 16 : 0);
      }
      row.advance();
    }
  }
  __syncwarp();  // matrix instructions follow: the lanes of a warp are together again
}
