// Rows of O and LSE of one warp, straight from its accumulators. Rows past the end are not stored.
INLINE void store_fragments(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, const Output& o,
                            const RowStatistics& rows) {
  const QueryRows out = rows_of_out(args, item);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = place.row(0, half);
    if (row < item.rows) {
      const int packed_row = item.first_row + row;
      const RowEnd end = finish_row(args, rows.max[0][half], rows.sum[0][half], item.first_head + head_of(packed_row));
      if (HAS_LSE && place.lane % 4 == 0) {
        store_lse(args, item, packed_row, end.lse);
      }
      u32* const pairs = (u32*)out[row];
#pragma unroll
      for (int n = 0; n < OUT_BLOCKS; ++n) {
        pairs[place.column(n) / 2] = pack_16bit(o[0][n][2 * half] * end.factor, o[0][n][2 * half + 1] * end.factor);
      }
    }
  }
  __syncwarp();  // products of the next item follow: the lanes of a warp are together again
}
