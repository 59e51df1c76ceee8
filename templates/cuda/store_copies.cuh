// Rows of O of one warp through shared memory: the copy engine stores them while the warp goes on with its next item.
// It leaves out rows and columns past the tensor's.

// Four blocks of 8 rows by 16 bytes: lane l names row l % 8 of block l / 8 (PTX ISA 9.7.14.5.16).
INLINE void store_matrices(u32 address, const u32 (&blocks)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};"
               :
               : "r"(address), "r"(blocks[0]), "r"(blocks[1]), "r"(blocks[2]), "r"(blocks[3])
               : "memory");
}

// O in 16 bits, whole slabs of it: the engine may read columns it leaves out.
INLINE void fill_out_tile(u32 tile, const Output& o, const float (&factor)[2], int lane) {
#pragma unroll
  for (int first = 0; first < OutTile::SLABS * 8; first += 2) {
    u32 blocks[4];
#pragma unroll
    for (int b = 0; b < 4; ++b) {
      const int block = first + b / 2 < OUT_BLOCKS ? first + b / 2 : 0;
      const int half = b % 2;
      blocks[b] = pack_16bit(o[0][block][2 * half] * factor[half], o[0][block][2 * half + 1] * factor[half]);
    }
    store_matrices(tile + (u32)OutTile::offset(lane % 16, first + lane / 16), blocks);
  }
}

INLINE void store_copies(const AttentionArgs& args, const TensorMap& out, u32 tile, const WorkItem& item,
                         const WarpPlace& place, const Output& o, const RowStatistics& rows) {
  wait_stores_read();  // those of the item before, which lane 0 began
  const float factor[2] = {end_row(args, item, place, rows, 0), end_row(args, item, place, rows, 1)};
  fill_out_tile(tile, o, factor, place.lane);
  publish_to_copies();
  __syncwarp();
  if (place.lane == 0) {
    const MapPlace at = place_of_queries(args, args.out_stride, item);
    for (int slab = 0; slab < OutTile::SLABS; ++slab) {
      store_box(out, tile + (u32)(slab * OutTile::SLAB_BYTES), slab * OutTile::SLAB_COLUMNS, at.head,
                query_of(item.first_row + place.first_row), at.batch);
    }
    commit_stores();
  }
  __syncwarp();
}
