// A warp's f32 accumulators of S and O: ROW_BLOCKS blocks of 16 rows by blocks of 8 columns. A thread holds of each
// block rows lane/4 (elements 0, 1) and lane/4 + 8 (elements 2, 3), columns 2 * (lane%4) + {0, 1}. So it is for
// m16n8k16 (PTX ISA 9.7.14.5.8), and for the 16 rows of each warp of wgmma's m64nNk16 (9.7.15.5.1.1).
using Scores = float[ROW_BLOCKS][SCORE_BLOCKS][4];
using Output = float[ROW_BLOCKS][OUT_BLOCKS][4];

// Of the rows lane/4 and lane/4 + 8 of each row block.
using RowValues = float[ROW_BLOCKS][2];

// Running statistics. `max` is that of the raw products (times the score function where there is one); `sum` covers
// this thread's columns only until reduce_sums().
struct RowStatistics {
  RowValues max;
  RowValues sum;
};
