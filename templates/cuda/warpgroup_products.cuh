// S = Q K^T and O += P V of a consumer warpgroup. They are issued, not finished: begin_products() stands before,
// commit_products() and wait_products() after.

// P as the instruction takes it from registers: of 16 keys a step, two pairs each of columns and rows.
using Weights = u32[PV_STEPS][4];

INLINE void multiply_qk(Scores& s, MatrixDescriptor q, MatrixDescriptor k) {
#pragma unroll
  for (int step = 0; step < QK_STEPS; ++step) {
    const u64 a = q.moved(QTile::by_columns(step)).bits();
    const u64 b = k.moved(KTile::by_columns(step)).bits();
    if (step == 0) {
      wgmma_qk<0>(s[0], a, b);  // whatever the accumulators held
    } else {
      wgmma_qk<1>(s[0], a, b);
    }
  }
}

INLINE void multiply_pv(Output& o, const Weights& p, MatrixDescriptor v) {
#pragma unroll
  for (int step = 0; step < PV_STEPS; ++step) {
    wgmma_pv<1>(o[0], p[step], v.moved(VTile::by_rows(step)).bits());
  }
}

// The accumulators of S for 16 keys hold just the elements a thread needs of the fragment of P: no shuffle
// (PTX ISA 9.7.15.5.1.1).
INLINE void pack_weights(Weights& weights, const Scores& p) {
#pragma unroll
  for (int step = 0; step < PV_STEPS; ++step) {
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      const float* const pair = &p[0][2 * step + r / 2][r % 2 * 2];
      weights[step][r] = pack_16bit(pair[0], pair[1]);
    }
  }
}
