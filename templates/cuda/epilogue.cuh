// What a block leaves behind: rows of O and LSE.
using OutTile = SharedTile<V_CHUNKS, PADDED>;

// O goes through shared memory, so that it is written in whole chunks of 16 bytes. No copy is under way.
INLINE void store_rows(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, unsigned char* shared,
                       Output& o, const RowStatistics& rows) {
  const u32 address = shared_address(shared) + OutTile::offset(place.row(0, 0), 0) + place.lane % 4 * 4;
  __syncthreads();  // the last key tile (or merged parts) may still be read
  if (place.key_part == 0) {
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = place.row(m, half);
        const int packed_row = item.first_row + row;
        if (row < item.rows) {
          const RowEnd end =
              finish_row(args, rows.max[m][half], rows.sum[m][half], item.first_head + head_of(packed_row));
          if (HAS_LSE && place.lane % 4 == 0) {
            store_lse(args, item, packed_row, end.lse);
          }
#pragma unroll
          for (int n = 0; n < OUT_BLOCKS; ++n) {
            store_shared(OutTile::moved(address, 16 * m + 8 * half, n),
                         pack_16bit(o[m][n][2 * half] * end.factor, o[m][n][2 * half + 1] * end.factor));
          }
        }
      }
    }
  }
  __syncthreads();
  using Shape = CopyShape<V_CHUNKS>;
  const QueryRows out = rows_of_out(args, item);
  const int chunk = threadIdx.x % Shape::LANES_PER_ROW;
  for (int row = threadIdx.x / Shape::LANES_PER_ROW; row < item.rows; row += Shape::ROWS_PER_PASS) {
    if (chunk < V_CHUNKS) {
      *(uint4*)(out[row] + chunk * 16) = *(const uint4*)(shared + OutTile::offset(row, chunk));
    }
  }
}
