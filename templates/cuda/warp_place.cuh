// A warp's part of a block's tile, and a lane's part of a fragment.
struct WarpPlace {
  int first_row;  // in the row tile
  int first_key;  // in the key tile
  int key_part;   // which of the WARPS_N parts of the keys
  int lane;

  // The rows of an accumulator: see Scores.
  INLINE int row(int block, int half) const { return first_row + block * 16 + half * 8 + lane / 4; }
  // The first of the two columns an accumulator holds of a block of 8.
  INLINE int column(int block) const { return block * 8 + lane % 4 * 2; }
};

INLINE WarpPlace warp_place(int thread) {
  const int warp = thread / 32;
  WarpPlace place;
  place.first_row = warp % WARPS_M * ROWS_PER_WARP;
  place.key_part = warp / WARPS_M;
  place.first_key = place.key_part * KEYS_PER_WARP;
  place.lane = thread % 32;
  return place;
}
