// Sizes that follow from the choices above: one warpgroup of 4 warps copies, each other one computes 64 rows of O and
// takes TILE_N keys a step.
enum : int {
  WARPGROUP = 128,  // threads
  CONSUMERS = TILE_M / 64,
  CONSUMER_WARPS = CONSUMERS * 4,
  THREADS = WARPGROUP * (1 + CONSUMERS),

  // A warp's part of a product (as in shape.cuh): 16 rows, all keys of the tile.
  WARPS_M = CONSUMER_WARPS,
  ROWS_PER_WARP = 16,
  KEYS_PER_WARP = TILE_N,
  ROW_BLOCKS = 1,
  SCORE_BLOCKS = TILE_N / 8,
  OUT_BLOCKS = HEAD_DIM_V / 8,
  // The matrix instruction sums over 16 terms.
  QK_STEPS = (HEAD_DIM_QK + 15) / 16,
  PV_STEPS = TILE_N / 16,
};
