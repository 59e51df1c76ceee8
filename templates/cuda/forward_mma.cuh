// attentune_forward: attention forward on mma.sync. A block takes TILE_M rows (queries, or queries x heads of a group)
// and walks the key tiles they see, FlashAttention-2's loop order (Dao 2023, algorithm 1); cp.async brings the tiles
// ahead into STAGES stages.
//
//   shared memory   Q tile (unless in registers) | stage 0: K tile, V tile | stage 1: ... ; O on top of all at the end
//
// One stage: V of a tile travels while Q K^T runs, K of the next while P V does. More stages: whole tiles travel while
// whole steps run, STAGES - 1 ahead.
enum : int {
  Q_BYTES = TILE_M * QTile::ROW_BYTES,
  K_BYTES = TILE_N * KTile::ROW_BYTES,
  V_BYTES = TILE_N * VTile::ROW_BYTES,
  STAGE_BYTES = K_BYTES + V_BYTES,
  STAGES_OFFSET = Q_IN_REGISTERS ? 0 : Q_BYTES,
};

INLINE void copy_k(const AttentionArgs& args, const KeyRows& k, u32 stage, int tile) {
  const int key = tile * TILE_N;
  copy_tile<KTile, TILE_N, QK_CHUNKS, QK_CHUNKS_GLOBAL>(stage, k.from(key), (int)args.len_kv - key);
}

INLINE void copy_v(const AttentionArgs& args, const KeyRows& v, u32 stage, int tile) {
  const int key = tile * TILE_N;
  copy_tile<VTile, TILE_N, V_CHUNKS, V_CHUNKS>(stage + K_BYTES, v.from(key), (int)args.len_kv - key);
}

// Does the tile need mask code: not every row sees every key, or it reaches past the last key?
INLINE bool is_partial(const AttentionArgs& args, const Rows& rows, int tile) {
  const int key = tile * TILE_N;
  const KeyTile keys{rows.i_first, rows.i_last, key, key + TILE_N - 1};
  return key + TILE_N > args.len_kv || visible(args, keys) != FULL;
}

extern "C" __global__ void __launch_bounds__(THREADS, MIN_BLOCKS)
    attentune_forward(const __grid_constant__ AttentionArgs args) {
  extern __shared__ __align__(128) unsigned char shared[];
  const WarpPlace place = warp_place(threadIdx.x);
  const WorkItem item = work_item(args, blockIdx.x);
  const int shift = (int)args.len_kv - (int)args.len_q;
  const Rows rows{query_of(item.first_row) + shift, query_of(item.first_row + item.rows - 1) + shift};
  const TileSequence tiles = part_of(tile_sequence(args, rows), item.split, split_count(args));
  const KeyRows k = rows_of_k(args, item);
  const KeyRows v = rows_of_v(args, item);
  const u32 stages = shared_address(shared) + STAGES_OFFSET;

  QOperand q;
  q.lane_address = lane_address_by_rows<QTile>(shared_address(shared), place.first_row, place.lane);
  copy_tile<QTile, TILE_M, QK_CHUNKS, QK_CHUNKS_GLOBAL>(shared_address(shared), rows_of_q(args, item), item.rows);
  if constexpr (Q_IN_REGISTERS) {
    // Its place in shared memory is the stages'.
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    load_q_registers(q);
    __syncthreads();
  }

  int tile = tiles.next(0);
  int ahead = tile;  // the next tile to copy (more than one stage)
  if constexpr (STAGES == 1) {
    if (tile != TileSequence::END) {
      copy_k(args, k, stages, tile);
    }
    commit_copies();
  } else {
#pragma unroll
    for (int n = 0; n < STAGES - 1; ++n) {
      if (ahead != TileSequence::END) {
        copy_k(args, k, stages + n * STAGE_BYTES, ahead);
        copy_v(args, v, stages + n * STAGE_BYTES, ahead);
        ahead = tiles.next(ahead + 1);
      }
      commit_copies();  // also when empty, so that the count of groups tells which tile has arrived
    }
  }

  Output o = {};
  RowStatistics statistics;
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      statistics.max[m][half] = minus_infinity();
      statistics.sum[m][half] = 0;
    }
  }
  const float factor = log2_factor(args);

  for (int stage = 0; tile != TileSequence::END;) {
    const int next = tiles.next(tile + 1);
    const u32 current = stages + stage * STAGE_BYTES;
    wait_copies<STAGES == 1 ? 0 : STAGES - 2>();
    __syncthreads();  // everyone's part of the tile has arrived, and everyone is done with the tile before
    if constexpr (STAGES == 1) {
      copy_v(args, v, current, tile);
      commit_copies();
    } else {
      if (ahead != TileSequence::END) {
        const u32 freed = stages + (stage == 0 ? STAGES - 1 : stage - 1) * STAGE_BYTES;
        copy_k(args, k, freed, ahead);
        copy_v(args, v, freed, ahead);
        ahead = tiles.next(ahead + 1);
      }
      commit_copies();
    }

    Scores s;
    multiply_qk(s, q, current, place);
    finish_scores(s, args.scale);
    if (is_partial(args, rows, tile)) {
      mask_scores(s, args, item.first_row, warp_place(computed_here(threadIdx.x)), tile * TILE_N);
    }

    if constexpr (STAGES == 1) {
      wait_copies<0>();
      __syncthreads();  // V has arrived, and everyone is done with K
      if (next != TileSequence::END) {
        copy_k(args, k, current, next);
      }
      commit_copies();
    }
    online_softmax(s, o, statistics, factor);
    multiply_pv(o, s, current + K_BYTES, place);

    tile = next;
    stage = stage == STAGES - 1 ? 0 : stage + 1;
  }

  wait_copies<0>();  // a block that saw no key still waits for Q
  reduce_sums(statistics, factor);
  if constexpr (WARPS_N > 1) {
    merge_warps(shared, o, statistics, place);
  }
  const WorkItem done = work_item(args, computed_here(blockIdx.x));
  if (split_count(args) == 1) {
    store_rows(args, done, place, shared, o, statistics);
  } else {
    store_partial_rows(args, done, place, o, statistics);
  }
}
