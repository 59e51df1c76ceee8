// A consumer warpgroup: 64 rows of each item. With OVERLAP, Q K^T of a step is issued before P V of the step before,
// and the softmax of the one runs while the matrix unit computes the other (FlashAttention-3, Shah et al. 2024,
// algorithm 2).
struct Consumer {
  const AttentionArgs& args;
  BlockMemory& memory;
  int number;             // of the warpgroup
  MatrixDescriptor q;     // its 64 rows
  MatrixDescriptor k, v;  // of stage 0
  float factor;           // of the softmax
  int first_row;          // of the item
  Scores s;
  Weights p;  // P of the step whose V is still to come
  Output o;
  RowStatistics statistics;
  RowValues rescale;  // what O is still to be multiplied by
  bool grew;          // where that may be something other than 1

  INLINE void begin_item(const WorkItem& item) {
    first_row = item.first_row;
    begin_rows(statistics);
#pragma unroll
    for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        o[0][n][e] = 0;
      }
    }
  }

  // Of many steps the compiler would keep each one's descriptor in registers through the whole loop, and spill them.
  INLINE MatrixDescriptor q_operand() const {
    return QK_STEPS > 12 ? MatrixDescriptor{(u32)computed_here((int)q.low), q.high} : q;
  }

  INLINE void issue_qk() {
    begin_products();
    multiply_qk(s, q_operand(), k.moved(memory.k.place.stage * KTile::BYTES));
    commit_products();
  }

  INLINE void issue_pv() {
    settle(p);
    settle(o[0]);
    begin_products();
    multiply_pv(o, p, v.moved(memory.v.place.stage * VTile::BYTES));
    commit_products();
  }

  // S to P, which stays in the accumulators of S.
  INLINE void softmax(const KeyStep& step) {
    settle(s[0]);
    finish_scores(s, args.scale);
    if (step.partial >> number & 1) {
      mask_scores(s, args, first_row, warp_place(computed_here(threadIdx.x) - WARPGROUP), step.tile * TILE_N);
    }
    RowValues maxima;
    row_maxima(maxima, s, statistics);
    grew = RESCALE_LAZY ? maxima_grew(maxima, statistics, factor) : true;
    weights_for_maxima(s, statistics, rescale, maxima, factor);
    settle(s[0]);
    settle(statistics.sum);
  }

  INLINE void rescale_o() {
    if (grew) {
      rescale_output(o, rescale);
    }
  }

  INLINE KeyStep next_step() {
    memory.k.wait_full();
    return load_step(memory.step());
  }

  // Q K^T of the next step is issued before P V of this one, so that they run one after the other without a gap.
  INLINE void consume_overlapped(KeyStep step) {
    issue_qk();
    wait_products<0>();
    memory.k.release();
    softmax(step);
    pack_weights(p, s);
    step = next_step();
    while (step.tile != TileSequence::END) {
      wait_turn(number);
      issue_qk();
      memory.v.wait_full();
      issue_pv();
      pass_turn(number);
      wait_products<1>();
      memory.k.release();
      softmax(step);
      // Stands here, and not after the wait, because it ends a basic block: the compiler moves waits for products up to
      // the beginning of theirs, and then nothing would run beside the softmax.
      step = next_step();
      wait_products<0>();
      settle(o[0]);
      memory.v.release();
      rescale_o();
      pack_weights(p, s);
    }
    memory.q.release();
    memory.v.wait_full();
    issue_pv();
    wait_products<0>();
    settle(o[0]);
    memory.v.release();
  }

  // One product after the other. A turn is P V of a step and Q K^T of the next.
  INLINE void consume_in_order(KeyStep step) {
    wait_turn(number);
    while (step.tile != TileSequence::END) {
      issue_qk();
      pass_turn(number);
      wait_products<0>();
      memory.k.release();
      softmax(step);
      rescale_o();
      pack_weights(p, s);
      memory.v.wait_full();
      wait_turn(number);
      issue_pv();
      wait_products<0>();
      settle(o[0]);
      memory.v.release();
      step = next_step();
    }
    pass_turn(number);
    memory.q.release();
  }

  // The number of the next item, at its first step.
  INLINE u32 next_item() {
    memory.k.wait_full();
    return load_item(memory.step());
  }

  INLINE void consume_item() {
    const KeyStep step = load_step(memory.step());
    if (step.tile != TileSequence::END) {
      memory.q.wait_full();
      if constexpr (OVERLAP) {
        consume_overlapped(step);
      } else {
        consume_in_order(step);
      }
    }
    memory.k.release();  // the end's
  }
};

INLINE MatrixDescriptor uniform(const MatrixDescriptor& operand) { return {uniform(operand.low), operand.high}; }

INLINE void consume_tiles(BlockMemory memory, const AttentionArgs& args, const TensorMap& out, int number) {
  Consumer consumer{args,
                    memory,
                    number,
                    uniform(QTile::summed_over_columns(memory.q_tile() + number * 64 * QTile::ROW_BYTES)),
                    uniform(KTile::summed_over_columns(memory.k_tile())),
                    uniform(VTile::summed_over_rows(memory.v_tile())),
                    log2_factor(args)};
  begin_turns(number);
  for (u32 index = consumer.next_item(); index != NO_ITEM; index = consumer.next_item()) {
    consumer.begin_item(work_item(args, index));
    consumer.consume_item();
    reduce_sums(consumer.statistics, consumer.factor);
    const WorkItem item = work_item(args, computed_here((int)index));
    const WarpPlace place = warp_place(computed_here(threadIdx.x) - WARPGROUP);
    if (split_count(args) > 1) {
      store_partial(args, item, place, consumer.o, consumer.statistics);
    } else if constexpr (STORE_BY_COPY) {
      const u32 tile = memory.out_tile(place.first_row / 16);
      store_copies(args, out, tile, item, place, consumer.o, consumer.statistics);
    } else {
      store_fragments(args, item, place, consumer.o, consumer.statistics);
    }
  }
  memory.k.release();
  end_turns(number);
  if constexpr (STORE_BY_COPY) {
    wait_stores_read();  // shared memory ends with the block
  }
}
