// attentune_forward: attention forward on mma.sync. A block takes TILE_M rows (queries, or queries x heads of a group)
// and walks the key tiles they see, in FlashAttention-2's loop order (Dao 2023, algorithm 1).

// Q begins to travel; where it stays in registers it also arrives, since its place in shared memory is the stages'.
INLINE void load_q(const AttentionArgs& args, const WorkItem& item, const WarpPlace& place, u32 tile, QOperand& q) {
  q.lane_address = lane_address_by_rows<QTile>(tile, place.first_row, place.lane);
  copy_tile<QTile, TILE_M, QK_CHUNKS, QK_CHUNKS_GLOBAL, 4>(tile, rows_of_q(args, item), item.rows);
  if constexpr (Q_IN_REGISTERS) {
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    load_q_registers(q);
    __syncthreads();
  }
}

extern "C" __global__ void __launch_bounds__(THREADS, MIN_BLOCKS)
    attentune_forward(const __grid_constant__ AttentionArgs args) {
  extern __shared__ __align__(128) unsigned char shared[];
  const WarpPlace place = warp_place(threadIdx.x);
  const WorkItem item = work_item(args, blockIdx.x);
  const int shift = (int)args.len_kv - (int)args.len_q;
  // Kept, not computed anew from the item for every key tile.
  const Rows rows{computed_here(query_of(item.first_row) + shift),
                  computed_here(query_of(item.first_row + item.rows - 1) + shift)};

  QOperand q;
  load_q(args, item, place, shared_address(shared), q);
  KeyPipeline keys;
  keys.tiles = part_of(tile_sequence(args, rows), item.split, split_count(args));
  keys.k = rows_of_k(args, item);
  keys.v = rows_of_v(args, item);
  keys.keys = (int)args.len_kv;
  keys.stages = shared_address(shared) + STAGES_OFFSET;
  keys.start();

  Output o = {};
  RowStatistics statistics;
  begin_rows(statistics);
  const float factor = log2_factor(args);

  while (keys.tile != TileSequence::END) {
    keys.await_k();
    Scores s;
    multiply_qk(s, q, keys.k_tile(), place);
    finish_scores(s, args.scale);
    if (is_partial(args, rows, keys.tile)) {
      mask_scores(s, args, item.first_row, warp_place(computed_here(threadIdx.x)), keys.tile * TILE_N);
    }
    keys.await_v();
    RowValues rescale;
    online_softmax(s, statistics, rescale, factor);
    rescale_output(o, rescale);
    multiply_pv(o, s, keys.v_tile(), place);
    keys.advance();
  }

  wait_copies<0>();  // a block that saw no key still waits for Q
  reduce_sums(statistics, factor);
  if constexpr (WARPS_N > 1) {
    merge_warps(shared, o, statistics, place);
  }
  const WorkItem done = work_item(args, computed_here(blockIdx.x));
  if (split_count(args) == 1) {
    store_rows(args, done, place, shared, o, statistics);
  } else if (place.key_part == 0) {
    store_partial(args, done, place, o, statistics);
  }
}
