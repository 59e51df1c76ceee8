// Where warps share rows and split the keys (WARPS_N > 1), their partial results are merged through shared memory: in
// halves, WARPS_N - 1 in log2(WARPS_N) steps, always in the same order.
enum : int {
  MERGED_VALUES = ROW_BLOCKS * (OUT_BLOCKS * 4 + 4),  // a lane's part of O, max and sum
};

// Value `index` of every lane of a warp side by side: no two lanes share a bank. Reader and writer are the same lane.
INLINE float* merge_slot(unsigned char* shared, int slot, int lane) {
  return (float*)shared + slot * MERGED_VALUES * 32 + lane;
}

INLINE void put_partial(float* slot, const Output& o, const RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      *slot = rows.max[m][half];
      slot += 32;
      *slot = rows.sum[m][half];
      slot += 32;
#pragma unroll
      for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          *slot = o[m][n][2 * half + e];
          slot += 32;
        }
      }
    }
  }
}

INLINE void merge_partial(const float* slot, Output& o, RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float their_max = *slot;
      slot += 32;
      const float their_sum = *slot;
      slot += 32;
      const float largest = fmaxf(rows.max[m][half], their_max);
      const float origin = largest == minus_infinity() ? 0 : largest;
      const float ours = exp2_approx(rows.max[m][half] - origin);
      const float theirs = exp2_approx(their_max - origin);
      rows.max[m][half] = largest;
      rows.sum[m][half] = rows.sum[m][half] * ours + their_sum * theirs;
#pragma unroll
      for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          o[m][n][2 * half + e] = o[m][n][2 * half + e] * ours + *slot * theirs;
          slot += 32;
        }
      }
    }
  }
}

// Afterwards the warps of key part 0 hold the result. All threads of the block call it; no copy is under way.
INLINE void merge_warps(unsigned char* shared, Output& o, RowStatistics& rows, const WarpPlace& place) {
  const int row_part = place.first_row / ROWS_PER_WARP;
#pragma unroll 1
  for (int parts = WARPS_N / 2; parts > 0; parts /= 2) {
    __syncthreads();  // nobody reads what is overwritten: the last key tile, or the slots of the step before
    if (place.key_part >= parts && place.key_part < 2 * parts) {
      put_partial(merge_slot(shared, (place.key_part - parts) * WARPS_M + row_part, place.lane), o, rows);
    }
    __syncthreads();
    if (place.key_part < parts) {
      merge_partial(merge_slot(shared, place.key_part * WARPS_M + row_part, place.lane), o, rows);
    }
  }
}
