// Which key tiles a row tile visits: at most KEY_RUNS contiguous runs, in ascending order of keys. Empty tiles between
// them are never touched.
struct TileSequence {
  enum : int { END = 1 << 30 };

  int first[KEY_RUNS];
  int end[KEY_RUNS];  // 0 for an empty run

  // The first tile of the sequence not before `tile`, or END.
  INLINE int next(int tile) const {
    int found = END;
#pragma unroll
    for (int n = 0; n < KEY_RUNS; ++n) {
      if (tile < end[n]) {
        found = min(found, max(tile, first[n]));
      }
    }
    return found;
  }
};

// The tiles that rows [i_first, i_last] (with shift) see anything of.
INLINE TileSequence tile_sequence(const AttentionArgs& args, const Rows& rows) {
  TileSequence tiles;
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    const KeyRun run = visible_run(args, rows, n);
    const int first_key = max(run.first, 0);
    const int last_key = min(run.last, (int)args.len_kv - 1);
    const bool empty = last_key < first_key;
    tiles.first[n] = empty ? 0 : first_key / TILE_N;
    tiles.end[n] = empty ? 0 : last_key / TILE_N + 1;
  }
  return tiles;
}

// Part `split` of `splits`: what lies in an equal share of the tiles from the first to the last.
INLINE TileSequence part_of(TileSequence tiles, int split, int splits) {
  int begin = TileSequence::END;
  int end = 0;
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    if (tiles.end[n] != 0) {
      begin = min(begin, tiles.first[n]);
      end = max(end, tiles.end[n]);
    }
  }
  const int share = end == 0 ? 0 : (end - begin + splits - 1) / splits;
  const int part_begin = begin + split * share;
  const int part_end = min(part_begin + share, end);
#pragma unroll
  for (int n = 0; n < KEY_RUNS; ++n) {
    tiles.first[n] = max(tiles.first[n], part_begin);
    tiles.end[n] = min(tiles.end[n], part_end);
    if (tiles.end[n] <= tiles.first[n]) {
      tiles.end[n] = 0;
    }
  }
  return tiles;
}

// Does the tile need mask code: not every row sees every key, or it reaches past the last key?
INLINE bool is_partial(const AttentionArgs& args, const Rows& rows, int tile) {
  const int key = tile * TILE_N;
  const KeyTile keys{rows.i_first, rows.i_last, key, key + TILE_N - 1};
  return key + TILE_N > args.len_kv || visible(args, keys) != FULL;
}
