// What a block leaves of its rows where several share their keys: partial O, normalized, and log2 of its denominator,
// in f32. workspace[0] holds [splits, batch, heads_q, len_q, d_v], workspace[1] the same without d_v. attentune_combine
// merges them.
INLINE void store_partial(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, const Output& o,
                          const RowStatistics& rows) {
  const i64 head = (i64)(item.split * args.batch + item.batch) * args.heads_q + item.first_head;
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = place.row(m, half);
      if (row < item.rows) {
        const int packed_row = item.first_row + row;
        const i64 index = (head + head_of(packed_row)) * args.len_q + query_of(packed_row);
        const float sum = rows.sum[m][half];
        const float factor = sum != 0 ? reciprocal_approx(sum) : 0;
        if (place.lane % 4 == 0) {
          ((float*)args.workspace[1])[index] = sum != 0 ? rows.max[m][half] + log2_approx(sum) : minus_infinity();
        }
        float* const out = (float*)args.workspace[0] + index * HEAD_DIM_V + place.column(0);
#pragma unroll
        for (int n = 0; n < OUT_BLOCKS; ++n) {
          *(float2*)(out + 8 * n) = float2{o[m][n][2 * half] * factor, o[m][n][2 * half + 1] * factor};
        }
      }
    }
  }
  __syncwarp();  // products of the next item may follow
}
