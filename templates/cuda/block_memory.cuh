// The shared memory of a block, and the rings over it:
//
//   Q tile | STAGES_K tiles of K | STAGES_V tiles of V | O of each warp | barriers of Q, K, V | a KeyStep for each
//   stage of K
//
// Tiles are multiples of 1024 bytes and begin at such. O has a place only where it is copied out.
using QTile = SlabTile<TILE_M, HEAD_DIM_QK>;
using KTile = SlabTile<TILE_N, HEAD_DIM_QK>;
using VTile = SlabTile<TILE_N, HEAD_DIM_V>;
using OutTile = SlabTile<16, HEAD_DIM_V>;  // rows of one warp

struct BlockMemory {
  enum : int {
    K_OFFSET = QTile::BYTES,
    V_OFFSET = K_OFFSET + STAGES_K * KTile::BYTES,
    OUT_OFFSET = V_OFFSET + STAGES_V * VTile::BYTES,
    BARRIERS_OFFSET = OUT_OFFSET + (STORE_BY_COPY ? CONSUMER_WARPS * OutTile::BYTES : 0),
    STEPS_OFFSET = BARRIERS_OFFSET + Pipeline<1>::BARRIER_BYTES + Pipeline<STAGES_K>::BARRIER_BYTES +
                   Pipeline<STAGES_V>::BARRIER_BYTES,
    BYTES = STEPS_OFFSET + STAGES_K * KeyStep::BYTES,
  };

  u32 start;
  Pipeline<1> q;
  Pipeline<STAGES_K> k;
  Pipeline<STAGES_V> v;

  INLINE u32 q_tile() const { return start; }
  INLINE u32 k_tile() const { return start + K_OFFSET + k.place.stage * KTile::BYTES; }
  INLINE u32 v_tile() const { return start + V_OFFSET + v.place.stage * VTile::BYTES; }
  INLINE u32 out_tile(int warp) const { return start + OUT_OFFSET + warp * OutTile::BYTES; }
  INLINE u32 step() const { return start + STEPS_OFFSET + k.place.stage * KeyStep::BYTES; }
};

INLINE BlockMemory block_memory(const unsigned char* shared, const AttentionArgs& args) {
  const u32 start = shared_address(shared);
  const u32 q_barriers = start + BlockMemory::BARRIERS_OFFSET;
  const u32 k_barriers = q_barriers + Pipeline<1>::BARRIER_BYTES;
  const u32 v_barriers = k_barriers + Pipeline<STAGES_K>::BARRIER_BYTES;
  return {start,
          {q_barriers, 'Q', args.watchdog_report},
          {k_barriers, 'K', args.watchdog_report},
          {v_barriers, 'V', args.watchdog_report}};
}

// All threads, before they take their roles.
INLINE void init_block_memory(const BlockMemory& memory) {
  if (threadIdx.x == 0) {
    memory.q.init();
    memory.k.init();
    memory.v.init();
    publish_barriers();
  }
  __syncthreads();
}
