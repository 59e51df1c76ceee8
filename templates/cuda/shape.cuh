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
