// The producer: one thread that has Q, K and V copied, item after item, as fast as stages become empty. V is one step
// behind K, as the consumers are.
struct TensorMaps {
  const TensorMap& q;
  const TensorMap& k;
  const TensorMap& v;
};

// Rows of one consumer warpgroup; those past the end do not count.
INLINE Rows rows_of_consumer(const AttentionArgs& args, const WorkItem& item, int consumer) {
  const int shift = (int)args.len_kv - (int)args.len_q;
  const int first = min(consumer * 64, item.rows - 1);
  const int last = min(consumer * 64 + 63, item.rows - 1);
  return {query_of(item.first_row + first) + shift, query_of(item.first_row + last) + shift};
}

// KeyStep::partial of a tile.
INLINE u32 partial_consumers(const AttentionArgs& args, const WorkItem& item, int tile) {
  u32 bits = 0;
#pragma unroll
  for (int consumer = 0; consumer < CONSUMERS; ++consumer) {
    bits |= (u32)is_partial(args, rows_of_consumer(args, item, consumer), tile) << consumer;
  }
  return bits;
}

INLINE void produce_q(BlockMemory& memory, const AttentionArgs& args, const TensorMaps& maps, const WorkItem& item) {
  memory.q.wait_empty();
  arrive_expecting(memory.q.full(), QTile::BYTES);
  const MapPlace at = place_of_queries(args, args.q_stride, item);
  copy_slabs<QTile>(memory.q_tile(), maps.q, memory.q.full(), at.head, query_of(item.first_row), at.batch);
  memory.q.place.advance();
}

// Tile TileSequence::END tells the consumers that the item has no more; of NO_ITEM, that they are done.
INLINE void produce_k(BlockMemory& memory, const AttentionArgs& args, const TensorMaps& maps, u32 index,
                      const WorkItem& item, int tile) {
  memory.k.wait_empty();
  if (tile == TileSequence::END) {
    store_step(memory.step(), index, {TileSequence::END, 0});
    arrive(memory.k.full());
  } else {
    store_step(memory.step(), index, {tile, partial_consumers(args, item, tile)});
    arrive_expecting(memory.k.full(), KTile::BYTES);
    const MapPlace at = place_of_keys(args, args.k_stride, item);
    copy_slabs<KTile>(memory.k_tile(), maps.k, memory.k.full(), at.head, tile * TILE_N, at.batch);
  }
  memory.k.place.advance();
}

INLINE void produce_v(BlockMemory& memory, const AttentionArgs& args, const TensorMaps& maps, const WorkItem& item,
                      int tile) {
  memory.v.wait_empty();
  arrive_expecting(memory.v.full(), VTile::BYTES);
  const MapPlace at = place_of_keys(args, args.v_stride, item);
  copy_slabs<VTile>(memory.v_tile(), maps.v, memory.v.full(), at.head, tile * TILE_N, at.batch);
  memory.v.place.advance();
}

INLINE void produce_tiles(BlockMemory memory, const AttentionArgs& args, const TensorMaps& maps) {
  prefetch_map(maps.q);
  prefetch_map(maps.k);
  prefetch_map(maps.v);
  for (PersistentItems items = persistent_items(args); items.more(); items.advance()) {
    const WorkItem item = work_item(args, items.index);
    const int shift = (int)args.len_kv - (int)args.len_q;
    const Rows rows{query_of(item.first_row) + shift, query_of(item.first_row + item.rows - 1) + shift};
    const TileSequence tiles = part_of(tile_sequence(args, rows), item.split, split_count(args));

    int tile = tiles.next(0);
    produce_k(memory, args, maps, items.index, item, tile);
    if (tile != TileSequence::END) {
      produce_q(memory, args, maps, item);
    }
    while (tile != TileSequence::END) {
      const int next = tiles.next(tile + 1);
      produce_k(memory, args, maps, items.index, item, next);
      produce_v(memory, args, maps, item, tile);
      tile = next;
    }
  }
  produce_k(memory, args, maps, NO_ITEM, {}, TileSequence::END);
  if constexpr (WATCHDOG_POLLS > 0) {
    memory.k.drain();  // stays while there are consumers, who cannot watch their turns themselves
  }
}
