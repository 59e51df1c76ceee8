/* Few rows against many keys on AMX: the rows of K in memory already are the rows of A, pairs of d side by side, so
 * S^T = K Q^T reads K where it lies. Q^T takes the place of a packed K (one panel of 32 columns), S^T is turned round
 * in registers, and only V passes through pack_v, as its pairs are two keys. d_qk in whole tiles of 32. */
#ifndef ATTENTUNE_HOST_STREAM_TILES_H
#define ATTENTUNE_HOST_STREAM_TILES_H

#include "templates/attention_args.h"
#include "templates/host/micro_kernel.h"
#include "templates/host/pack.h"
#include "templates/host/scratch.h"
#include "templates/host/stream.h"

enum { TILE_KEYS = 32 };

/* Up to 32 rows of Q, packed in order, to the panel [steps][32] in scratch->k. */
INLINE void turn_q(const Scratch* scratch) {
  for (int64_t r = 0; r < TILE_KEYS; r += LANES) {
    for (int64_t step = 0; step < steps_of(HEAD_DIM_QK); step += LANES) {
      vec x[LANES];
      UNROLL
      for (int i = 0; i < LANES; ++i) {
        x[i] = load(scratch->q + (r + i) * q_stride() + step);
      }
      transpose_16x16(x);
      UNROLL
      for (int i = 0; i < LANES; ++i) {
        store(scratch->k + (step + i) * TILE_KEYS + r, x[i]);
      }
    }
  }
}

/* S of 32 keys, from S^T in `turned` [32 keys][32 rows]. */
INLINE void turn_scores(const Scratch* scratch, const float* turned, int64_t rows, int64_t j) {
  for (int64_t r = 0; r < rows; r += LANES) {
    for (int64_t key = 0; key < TILE_KEYS; key += LANES) {
      vec x[LANES];
      UNROLL
      for (int i = 0; i < LANES; ++i) {
        x[i] = load(turned + (key + i) * TILE_KEYS + r);
      }
      transpose_16x16(x);
      UNROLL
      for (int i = 0; i < LANES; ++i) {
        store(scratch->s + (r + i) * s_stride() + j + key, x[i]);
      }
    }
  }
}

/* S of one key tile; V's rows of the same tile are on their way meanwhile. The last keys that fill no tile are copied,
 * for nothing past the tensor may be read. */
INLINE void stream_tiles_qk(const Scratch* scratch, int64_t rows, int64_t keys, const char* k, int64_t k_bytes,
                            const char* v, int64_t v_bytes) {
  float turned[TILE_KEYS * TILE_KEYS] __attribute__((aligned(64)));
  char copied[TILE_KEYS * MAX_STREAM_DIM * 2] __attribute__((aligned(64)));
  const Ahead no_share = {0, 0};
  for (int64_t j = 0; j < keys; j += TILE_KEYS) {
    const char* a = k + j * k_bytes;
    int64_t a_bytes = k_bytes;
    const int64_t count = keys - j < TILE_KEYS ? keys - j : TILE_KEYS;
    for (int64_t i = 0; i < count; ++i) {
      prefetch_row(v + (j + i) * v_bytes, HEAD_DIM_V * 2);
    }
    if (count < TILE_KEYS) {
      for (int64_t i = 0; i < TILE_KEYS; ++i) {
        const int64_t key = i < count ? i : count - 1;
        __builtin_memcpy(copied + i * HEAD_DIM_QK * 2, a + key * k_bytes, (uint64_t)HEAD_DIM_QK * 2);
      }
      a = copied;
      a_bytes = HEAD_DIM_QK * 2;
    }
    tile_kernel(steps_of(HEAD_DIM_QK), qk_terms(), (const float*)a, a_bytes, scratch->k, TILE_KEYS * 4, turned,
                TILE_KEYS * 4, 0, no_share);
    turn_scores(scratch, turned, rows, j);
  }
}

#endif
