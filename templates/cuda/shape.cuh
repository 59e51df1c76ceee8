// Sizes that follow from the choices above: a block of WARPS_M x WARPS_N warps computes TILE_M rows of O and takes
// TILE_N keys a step; each warp holds ROWS_PER_WARP rows by KEYS_PER_WARP keys of S in registers.
enum : int {
  WARPS = WARPS_M * WARPS_N,
  THREADS = 32 * WARPS,
  ROWS_PER_WARP = TILE_M / WARPS_M,
  KEYS_PER_WARP = TILE_N / WARPS_N,
  // The matrix instruction is m16n8k16: 16 rows, 8 columns, 16 terms of the sum.
  ROW_BLOCKS = ROWS_PER_WARP / 16,
  SCORE_BLOCKS = KEYS_PER_WARP / 8,
  OUT_BLOCKS = HEAD_DIM_V / 8,
  QK_STEPS = (HEAD_DIM_QK + 15) / 16,
  PV_STEPS = KEYS_PER_WARP / 16,
  // Rows in 16-byte chunks of 8 elements: in global memory, and in shared memory, where d_qk is whole in QK_STEPS.
  QK_CHUNKS_GLOBAL = HEAD_DIM_QK / 8,
  QK_CHUNKS = 2 * QK_STEPS,
  V_CHUNKS = HEAD_DIM_V / 8,
};

// f32 accumulators of m16n8k16 in one thread: rows lane/4 (elements 0, 1) and lane/4 + 8 (elements 2, 3), columns
// 2 * (lane%4) + {0, 1} (PTX ISA 9.7.14.5.8).
using Scores = float[ROW_BLOCKS][SCORE_BLOCKS][4];
using Output = float[ROW_BLOCKS][OUT_BLOCKS][4];

// Running statistics of the rows lane/4 and lane/4 + 8 of each row block. `max` is that of the raw products (times the
// score function where there is one); `sum` covers this thread's columns only until reduce_sums().
struct RowStatistics {
  float max[ROW_BLOCKS][2];
  float sum[ROW_BLOCKS][2];
};
