// What the helpers of a mask expression mean in three readings: for one score, for a tile of scores, and for all the
// keys a range of rows may see. The generator prints the expression over them (visible, visible_run).
//
// Rows are counted with the shift len_kv - len_q, so causal() shows key j to row i iff j <= i.

enum : int {
  FARTHEST = 1 << 30,  // beyond any distance of a row and a key: lengths are at most 10^9
};

// A mask argument; one that hides nothing more than FARTHEST becomes FARTHEST.
INLINE int argument(const AttentionArgs& args, int slot) {
  const i64 value = args.mask_arguments[slot];
  return value < FARTHEST ? (int)value : FARTHEST;
}

// Reading 1: one score. The distance is i - j, so that comparing it with a constant folds into that of the column.
struct Position {
  int distance;
  int key;
};

// Both sides are values already: no branch a score, but a predicate (`a & b` would be 16-bit integers).
INLINE bool both(bool a, bool b) { return a ? b : false; }
INLINE bool either(bool a, bool b) { return a ? true : b; }
INLINE bool everything(const Position&) { return true; }
INLINE bool causal(const Position& at) { return at.distance >= 0; }
INLINE bool window(const Position& at, int left, int right) { return both(at.distance <= left, at.distance >= -right); }
INLINE bool sink(const Position& at, int count) { return at.key < count; }

// Reading 2: rows [i_first, i_last] by keys [j_first, j_last]. Conservative: PARTIAL is always allowed. both() and
// either() are those of Kleene's logic over EMPTY < PARTIAL < FULL.
enum TileClass : int { EMPTY, PARTIAL, FULL };

struct KeyTile {
  int i_first, i_last;
  int j_first, j_last;
};

INLINE TileClass both(TileClass a, TileClass b) { return a < b ? a : b; }
INLINE TileClass either(TileClass a, TileClass b) { return a < b ? b : a; }
INLINE TileClass class_of(bool some, bool every) { return every ? FULL : some ? PARTIAL : EMPTY; }

INLINE TileClass everything(const KeyTile&) { return FULL; }
INLINE TileClass causal(const KeyTile& tile) {
  return class_of(tile.j_first <= tile.i_last, tile.j_last <= tile.i_first);
}
INLINE TileClass window(const KeyTile& tile, int left, int right) {
  const int nearest = tile.j_first - tile.i_last;
  const int farthest = tile.j_last - tile.i_first;
  return class_of(farthest >= -left && nearest <= right, nearest >= -left && farthest <= right);
}
INLINE TileClass sink(const KeyTile& tile, int count) { return class_of(tile.j_first < count, tile.j_last < count); }

// Reading 3: a contiguous run of keys that contains every key a row of [i_first, i_last] sees; empty if last < first.
struct Rows {
  int i_first, i_last;
};

struct KeyRun {
  int first, last;
};

INLINE KeyRun both(KeyRun a, KeyRun b) { return {max(a.first, b.first), min(a.last, b.last)}; }
// One run around both: for masks of more runs than are walked.
INLINE KeyRun either(KeyRun a, KeyRun b) {
  if (a.last < a.first) {
    return b;
  }
  return b.last < b.first ? a : KeyRun{min(a.first, b.first), max(a.last, b.last)};
}

INLINE KeyRun everything(const Rows&) { return {0, FARTHEST}; }
INLINE KeyRun causal(const Rows& rows) { return {0, rows.i_last}; }
INLINE KeyRun window(const Rows& rows, int left, int right) { return {rows.i_first - left, rows.i_last + right}; }
INLINE KeyRun sink(const Rows&, int count) { return {0, count - 1}; }
