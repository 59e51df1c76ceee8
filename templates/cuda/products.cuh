// S = Q K^T and O += P V of one warp, on m16n8k16 fragments.
using QTile = SharedTile<QK_CHUNKS, PADDED>;
using KTile = SharedTile<QK_CHUNKS, PADDED>;
using VTile = SharedTile<V_CHUNKS, PADDED>;

// Q as the products read it: every fragment in registers, or loaded from shared memory again for each key tile.
struct QOperand {
  u32 lane_address;
  u32 registers[Q_IN_REGISTERS ? ROW_BLOCKS : 1][Q_IN_REGISTERS ? QK_STEPS : 1][4];
};

// Lane addresses for ldmatrix.x4. A 16x16 fragment of Q (and two 8-column blocks of V, transposed): matrices 0 and 1
// are rows 0-7 and 8-15 of the first chunk, 2 and 3 of the second.
template <class Tile>
INLINE u32 lane_address_by_rows(u32 tile, int first_row, int lane) {
  return tile + Tile::offset(first_row + lane % 16, lane / 16);
}

// Two 8-key blocks of K: matrices 0 and 1 are both chunks of keys 0-7, 2 and 3 of keys 8-15.
template <class Tile>
INLINE u32 lane_address_by_keys(u32 tile, int first_row, int lane) {
  return tile + Tile::offset(first_row + lane % 8 + lane / 16 * 8, lane / 8 % 2);
}

INLINE void load_q_registers(QOperand& q) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int k = 0; k < QK_STEPS; ++k) {
      load_matrices(q.registers[m][k], QTile::moved(q.lane_address, 16 * m, 2 * k));
    }
  }
}

INLINE void multiply_qk(Scores& s, const QOperand& q, u32 k_tile, const WarpPlace& place) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        s[m][n][e] = 0;
      }
    }
  }
  const u32 k_address = lane_address_by_keys<KTile>(k_tile, place.first_key, place.lane);
#pragma unroll
  for (int k = 0; k < QK_STEPS; ++k) {
    u32 a[ROW_BLOCKS][4];
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
      if constexpr (Q_IN_REGISTERS) {
#pragma unroll
        for (int r = 0; r < 4; ++r) {
          a[m][r] = q.registers[m][k][r];
        }
      } else {
        load_matrices(a[m], QTile::moved(q.lane_address, 16 * m, 2 * k));
      }
    }
#pragma unroll
    for (int n = 0; n < SCORE_BLOCKS; n += 2) {
      u32 b[4];
      load_matrices(b, KTile::moved(k_address, 8 * n, 2 * k));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(s[m][n], a[m], b[0], b[1]);
        multiply_add(s[m][n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

// The accumulators of S for 16 keys hold just the elements a thread needs of the fragment of P: no shuffle.
INLINE void multiply_pv(Output& o, const Scores& p, u32 v_tile, const WarpPlace& place) {
  const u32 v_address = lane_address_by_rows<VTile>(v_tile, place.first_key, place.lane);
#pragma unroll
  for (int k = 0; k < PV_STEPS; ++k) {
    u32 a[ROW_BLOCKS][4];
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const float* const pair = &p[m][2 * k + r / 2][r % 2 * 2];
        a[m][r] = pack_16bit(pair[0], pair[1]);
      }
    }
#pragma unroll
    for (int n = 0; n + 1 < OUT_BLOCKS; n += 2) {
      u32 b[4];
      load_matrices_transposed(b, VTile::moved(v_address, 16 * k, n));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(o[m][n], a[m], b[0], b[1]);
        multiply_add(o[m][n + 1], a[m], b[2], b[3]);
      }
    }
    if constexpr (OUT_BLOCKS % 2 != 0) {
      u32 b[2];
      load_matrices_transposed(b, VTile::moved(v_address, 16 * k, OUT_BLOCKS - 1));
#pragma unroll
      for (int m = 0; m < ROW_BLOCKS; ++m) {
        multiply_add(o[m][OUT_BLOCKS - 1], a[m], b[0], b[1]);
      }
    }
  }
}
