// Rows of O and LSE of one warp, straight from its accumulators. Rows past the end are not stored.

// Stores the LSE of a row; what O of the row is multiplied by.
INLINE float end_row(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, const RowStatistics& rows,
                     int half) {
  const int row = place.row(0, half);
  const int packed_row = item.first_row + row;
  const RowEnd end = finish_row(args, rows.max[0][half], rows.sum[0][half], item.first_head + head_of(packed_row));
  if (HAS_LSE && row < item.rows && place.lane % 4 == 0) {
    store_lse(args, item, packed_row, end.lse);
  }
  __syncwarp();
  return end.factor;
}

// One row's part in a quad: blocks of 8 columns, of which each lane holds 2. The quad exchanges them so that each lane
// stores whole blocks, 16 bytes, and the quad 64 bytes side by side.
INLINE void store_row(char* row, const Output& o, int half, float factor, bool exists, int lane) {
#pragma unroll
  for (int first = 0; first < OUT_BLOCKS; first += 4) {
    u32 pairs[4];
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      const int block = first + n < OUT_BLOCKS ? first + n : first;  // some value, never stored
      pairs[n] = pack_16bit(o[0][block][2 * half] * factor, o[0][block][2 * half + 1] * factor);
    }
    transpose_quad(pairs, lane);
    const int block = first + lane % 4;
    if (exists && block < OUT_BLOCKS) {
      *(uint4*)(row + block * 16) = uint4{pairs[0], pairs[1], pairs[2], pairs[3]};
    }
    __syncwarp();  // the next exchange, or products of the next item, follow
  }
}

INLINE void store_fragments(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, const Output& o,
                            const RowStatistics& rows) {
  const QueryRows out = rows_of_out(args, item);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = place.row(0, half);
    const float factor = end_row(args, item, place, rows, half);
    store_row((char*)out[row], o, half, factor, row < item.rows, place.lane);
  }
}
