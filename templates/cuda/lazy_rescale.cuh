// Lazy rescaling (FlashAttention-4's conditional rescaling): the exponents' origin need not be the maximum. As long as
// no weight exceeds 2^8, sums and O stay as they are, for a larger maximum would only multiply all of them by the same
// number. f32 sums and 16-bit weights have room for that factor, and their rounding errors are relative.
INLINE float growth_allowed() { return 8; }  // in base 2

// Takes back `maxima` of the rows of a warp where none has grown by more than allowed. Says whether one has: then O
// must be rescaled. A row that has seen nothing has grown beyond all bounds when it sees something, not while it
// does not: -inf - -inf is NaN, and every comparison with it false.
INLINE bool maxima_grew(RowValues& maxima, const RowStatistics& rows, float factor) {
  bool grew = false;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    grew |= (maxima[0][half] - rows.max[0][half]) * factor > growth_allowed();
  }
  grew = __any_sync(0xffffffff, grew);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    maxima[0][half] = grew ? maxima[0][half] : rows.max[0][half];
  }
  return grew;
}
