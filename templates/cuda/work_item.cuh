// Which part of the call a block computes: rows of one head pack (a KV head's group where packed, else a query head),
// against one share of the keys.
struct WorkItem {
  int batch;
  int first_head;  // query head
  int head_kv;
  int first_row;  // packed row
  int rows;       // how many of the TILE_M exist
  int split;
};

// launch_choices, in the order of the Config.
INLINE int split_count(const AttentionArgs& args) { return (int)args.launch_choices[0]; }
INLINE int block_order(const AttentionArgs& args) { return (int)args.launch_choices[1]; }

// Orders of blocks, beside the split, which always changes fastest.
enum : int {
  ROWS_FORWARD = 0,   // row tiles change fastest, from the first on
  ROWS_REVERSED = 1,  // row tiles change fastest, from the last on: under causal masks the longest blocks start first
  HEADS_FIRST = 2,    // heads change fastest, row tiles from the last on
};

INLINE u32 row_tile_count(const AttentionArgs& args) { return ((u32)args.len_q * PACK + TILE_M - 1) / TILE_M; }

INLINE u32 work_item_count(const AttentionArgs& args) {
  return (u32)args.batch * ((u32)args.heads_q / PACK) * row_tile_count(args) * split_count(args);
}

// Quotient and remainder by one division: of `/` and `%` in different branches the compiler makes two.
struct Division {
  u32 quotient, remainder;
};
INLINE Division divide(u32 dividend, u32 divisor) {
  const u32 quotient = dividend / divisor;
  return {quotient, dividend - quotient * divisor};
}

INLINE WorkItem work_item(const AttentionArgs& args, u32 block) {
  const u32 packed_rows = (u32)args.len_q * PACK;
  const u32 row_tiles = row_tile_count(args);
  const u32 head_packs = (u32)args.heads_q / PACK;
  const int order = block_order(args);
  const bool heads_first = order == HEADS_FIRST;

  const Division by_split = divide(block, split_count(args));
  const Division by_faster = divide(by_split.quotient, heads_first ? head_packs : row_tiles);
  const Division by_slower = divide(by_faster.quotient, heads_first ? row_tiles : head_packs);
  const u32 head_pack = (heads_first ? by_faster : by_slower).remainder;
  u32 row_tile = (heads_first ? by_slower : by_faster).remainder;
  if (order != ROWS_FORWARD) {
    row_tile = row_tiles - 1 - row_tile;
  }

  WorkItem item;
  item.batch = (int)by_slower.quotient;
  item.first_head = (int)head_pack * PACK;
  item.head_kv = item.first_head / GROUP;
  item.first_row = (int)row_tile * TILE_M;
  item.rows = min((int)packed_rows - item.first_row, (int)TILE_M);
  item.split = (int)by_split.remainder;
  return item;
}

INLINE QueryRows rows_of_q(const AttentionArgs& args, const WorkItem& item) {
  const char* const head =
      (const char*)args.q + 2 * (item.batch * args.q_stride[0] + item.first_head * args.q_stride[2]);
  return {head, 2 * args.q_stride[1], 2 * args.q_stride[2], item.first_row};
}

INLINE QueryRows rows_of_out(const AttentionArgs& args, const WorkItem& item) {
  const char* const head =
      (const char*)args.out + 2 * (item.batch * args.out_stride[0] + item.first_head * args.out_stride[2]);
  return {head, 2 * args.out_stride[1], 2 * args.out_stride[2], item.first_row};
}

INLINE KeyRows rows_of_k(const AttentionArgs& args, const WorkItem& item) {
  const i64 head = item.batch * args.k_stride[0] + item.head_kv * args.k_stride[2];
  return {(const char*)args.k + 2 * head, 2 * args.k_stride[1]};
}

INLINE KeyRows rows_of_v(const AttentionArgs& args, const WorkItem& item) {
  const i64 head = item.batch * args.v_stride[0] + item.head_kv * args.v_stride[2];
  return {(const char*)args.v + 2 * head, 2 * args.v_stride[1]};
}
