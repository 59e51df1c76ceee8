/* Where things lie in the workspace, in floats. generator/host_layout.cpp computes the same sizes for the LaunchRules.
 */
#ifndef ATTENTUNE_HOST_SCRATCH_H
#define ATTENTUNE_HOST_SCRATCH_H

#include "templates/host/constants.h"
#include "templates/host/terms.h"
#include "templates/host/vector.h"

INLINE int64_t vectors_of(int64_t width) { return (width + LANES - 1) / LANES; }
INLINE int64_t padded(int64_t width) { return vectors_of(width) * LANES; }

/* Elements that share a step of depth, and the steps of `elements`. */
INLINE int64_t step_elements(void) { return PRODUCT == PRODUCT_FMA ? 1 : 2; }
INLINE int64_t steps_of(int64_t elements) { return (elements + step_elements() - 1) / step_elements(); }

/* Steps of d_qk but for those of the tail in one row, and the floats that a row of Q or K takes: whole vectors of steps
 * for each term, then the tail. */
INLINE int64_t qk_steps(void) { return steps_of(qk_tail() == 0 ? HEAD_DIM_QK : HEAD_DIM_QK / 32 * 32); }
INLINE int64_t qk_floats(int terms) { return padded(qk_steps()) * terms + qk_tail(); }

/* Columns of O: whole vectors, or pairs of vectors where the product or stream.h takes two at a time. */
INLINE int64_t o_columns(void) {
  const int64_t unit = PRODUCT == PRODUCT_TILE || PACK == PACK_NONE ? 2 * LANES : LANES;
  return (HEAD_DIM_V + unit - 1) / unit * unit;
}
INLINE int64_t q_columns(void) {
  return PACK == PACK_NONE && PRODUCT != PRODUCT_TILE ? (HEAD_DIM_QK + 2 * LANES - 1) / (2 * LANES) * 2 * LANES
                                                      : qk_floats(terms_of(Q_DTYPE));
}

/* S, and P in its place: never longer, but for P in three terms, which begins half a tile before S and stays behind it
 * as both are walked. */
INLINE int64_t s_begin(void) { return terms_of(V_DTYPE) == 3 ? TILE_N / 2 : 0; }

/* Rows are one vector longer than they need to be: widths are mostly powers of two, and rows that far apart would
 * compete for the same sets of the first-level cache. */
INLINE int64_t q_stride(void) { return q_columns() + LANES; }
INLINE int64_t s_stride(void) { return s_begin() + TILE_N + LANES; }
INLINE int64_t o_stride(void) { return o_columns() + LANES; }

/* K and V of one key tile, packed: panels of [d][keys] and panels of [keys][d]. Where the call is packed as a whole,
 * the V tile follows its K tile, and tiles follow one another in the order of (batch, KV head, key tile). */
INLINE int64_t k_tile_floats(void) {
  return (PACK == PACK_NONE ? MICRO_VECTORS * LANES : TILE_N) * qk_floats(terms_of(K_DTYPE));
}
INLINE int64_t v_tile_floats(void) { return TILE_N / step_elements() * o_columns() * terms_of(V_DTYPE); }
INLINE int64_t packed_tile_floats(void) { return k_tile_floats() + v_tile_floats(); }

/* One worker's state of a row tile. Every part is a multiple of 16 floats long, so all begin on 64 bytes. */
typedef struct Scratch {
  float* q;     /* [TILE_M][q_stride], as pack_q leaves it */
  float* s;     /* [TILE_M][s_stride]: S */
  float* p;     /* P, s_begin before s */
  float* o;     /* [TILE_M][o_stride], not normalized */
  float* l;     /* [TILE_M][16]: 16 partial sums of P a row */
  float* m;     /* [TILE_M]: largest S so far, in units of log2 */
  float* alpha; /* [TILE_M]: 2^(m before - m after) of the tile at hand */
  float* k;     /* packed K of one key tile, PACK_TASK and PACK_K; or Q^T (stream_tiles.h) */
  float* v;     /* packed V of one key tile, PACK_TASK and stream_tiles.h */
} Scratch;

/* To the next head's, where one task keeps several (PACK_NONE). */
INLINE int64_t scratch_floats(void) {
  return TILE_M * (q_stride() + s_stride() + o_stride() + LANES) + 2 * padded(TILE_M) +
         (PRODUCT == PRODUCT_TILE ? packed_tile_floats() : 0);
}

INLINE Scratch scratch_at(float* base) {
  Scratch scratch;
  scratch.q = base;
  scratch.p = scratch.q + TILE_M * q_stride();
  scratch.s = scratch.p + s_begin();
  scratch.o = scratch.p + TILE_M * s_stride();
  scratch.l = scratch.o + TILE_M * o_stride();
  scratch.m = scratch.l + TILE_M * LANES;
  scratch.alpha = scratch.m + padded(TILE_M);
  scratch.k = scratch.alpha + padded(TILE_M);
  scratch.v = scratch.k + k_tile_floats();
  return scratch;
}

/* The same from row `first` of the tile on, a multiple of 16. */
INLINE Scratch scratch_from(const Scratch* scratch, int64_t first) {
  Scratch rest = *scratch;
  rest.q += first * q_stride();
  rest.s += first * s_stride();
  rest.p += first * s_stride();
  rest.o += first * o_stride();
  rest.l += first * LANES;
  rest.m += first;
  rest.alpha += first;
  return rest;
}

/* What a part of the keys leaves of one row, where they are split: o_columns of O not normalized, then m and l. Parts
 * follow one another, each with all rows of the call. */
INLINE int64_t partial_floats(void) { return o_columns() + LANES; }

#endif
