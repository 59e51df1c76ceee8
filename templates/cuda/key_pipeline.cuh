// K and V tiles on their way into shared memory, ahead of the products.
//
//   shared memory   Q tile (unless in registers) | stage 0: K tile, V tile | stage 1: K tile, V tile | ...
//
// One stage: V of a tile travels while Q K^T runs, K of the next tile while P V does. More stages: whole tiles travel
// while whole steps run, STAGES - 1 tiles ahead.
//
// Groups of copies are closed even when empty, so that their count alone tells which tile has arrived.
enum : int {
  Q_BYTES = TILE_M * QTile::ROW_BYTES,
  K_BYTES = TILE_N * KTile::ROW_BYTES,
  V_BYTES = TILE_N * VTile::ROW_BYTES,
  STAGE_BYTES = K_BYTES + V_BYTES,
  STAGES_OFFSET = Q_IN_REGISTERS ? 0 : Q_BYTES,
};

struct KeyPipeline {
  TileSequence tiles;
  KeyRows k;
  KeyRows v;
  int keys;    // of the sequence
  u32 stages;  // shared address of stage 0
  int tile;    // the tile of this step, or TileSequence::END
  int ahead;   // the next tile to copy
  int stage;   // where this step's tile lies

  INLINE u32 k_tile() const { return stages + stage * STAGE_BYTES; }
  INLINE u32 v_tile() const { return k_tile() + K_BYTES; }

  INLINE void copy_k(u32 to, int which) const {
    const int key = which * TILE_N;
    copy_tile<KTile, TILE_N, QK_CHUNKS, QK_CHUNKS_GLOBAL, TILE_N>(to, k.from(key), keys - key);
  }
  INLINE void copy_v(u32 to, int which) const {
    const int key = which * TILE_N;
    copy_tile<VTile, TILE_N, V_CHUNKS, V_CHUNKS, TILE_N>(to + K_BYTES, v.from(key), keys - key);
  }

  // Begins to copy the tile `ahead`, if there is one, and goes on to the one after it.
  INLINE void copy_ahead(u32 to) {
    if (ahead != TileSequence::END) {
      copy_k(to, ahead);
      if constexpr (STAGES > 1) {
        copy_v(to, ahead);
      }
      ahead = tiles.next(ahead + 1);
    }
    commit_copies();
  }

  // Copies begun before (of Q) belong to the first group.
  INLINE void start() {
    tile = ahead = tiles.next(0);
    stage = 0;
#pragma unroll 1
    for (int n = 0; n < max((int)STAGES - 1, 1); ++n) {
      copy_ahead(stages + n * STAGE_BYTES);
    }
  }

  // The step's K has arrived for all warps; with more than one stage its V too.
  INLINE void await_k() {
    wait_copies<STAGES == 1 ? 0 : STAGES - 2>();
    __syncthreads();  // everyone's part has arrived, and everyone is done with the tile before
    if constexpr (STAGES == 1) {
      copy_v(stages, tile);
      commit_copies();
    } else {
      copy_ahead(stages + (stage == 0 ? STAGES - 1 : stage - 1) * STAGE_BYTES);
    }
  }

  // The step's V has arrived, and K is not needed any more.
  INLINE void await_v() {
    if constexpr (STAGES == 1) {
      wait_copies<0>();
      __syncthreads();
      copy_ahead(stages);
    }
  }

  INLINE void advance() {
    tile = tiles.next(tile + 1);
    stage = stage == STAGES - 1 ? 0 : stage + 1;
  }
};
