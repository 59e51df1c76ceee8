/* Tiles of Q, K and V as the micro-kernel wants them: f32, aligned, padding defined. */
#ifndef ATTENTUNE_HOST_PACK_H
#define ATTENTUNE_HOST_PACK_H

#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/scratch.h"
#include "templates/host/transpose.h"
#include "templates/host/vector.h"

/* Packed GQA: row r of a KV head is query r / GROUP of the group's head r % GROUP, so a group shares its K and V tiles.
 */
INLINE int64_t query_of(int64_t row) { return row / GROUP; }
INLINE int64_t head_of(int64_t row, int64_t head_kv) { return head_kv * GROUP + row % GROUP; }

/* Rows [first, first + rows) of one KV head, times `factor`; up to the next whole micro-kernel zero rows follow. */
INLINE void pack_q(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t rows, float factor,
                   float* q) {
  const int64_t bytes = dtype_bytes(Q_DTYPE);
  const int whole = HEAD_DIM_QK / LANES;
  const int tail = HEAD_DIM_QK % LANES;
  const int64_t stride = q_stride();
  for (int64_t r = 0; r < rows; ++r) {
    const char* row = (const char*)args->q + (batch * args->q_stride[0] + query_of(first + r) * args->q_stride[1] +
                                              head_of(first + r, head_kv) * args->q_stride[2]) *
                                                 bytes;
    for (int v = 0; v < whole; ++v) {
      store(q + r * stride + v * LANES, load_elements(Q_DTYPE, row + v * LANES * bytes) * splat(factor));
    }
    if (tail != 0) {
      store(q + r * stride + whole * LANES, load_some(Q_DTYPE, row + whole * LANES * bytes, tail) * splat(factor));
    }
  }
  const int64_t end = (rows + MICRO_ROWS - 1) / MICRO_ROWS * MICRO_ROWS;
  for (int64_t i = rows * stride; i < end * stride; i += LANES) {
    store(q + i, splat(0.0f));
  }
}

/* 16 keys by 16 of d, transposed into 16 rows of a panel. count < 16 only at the end of d. */
INLINE void pack_k_block(const char* const row[LANES], int64_t offset, int count, float* to, int64_t to_stride) {
  vec x[LANES];
  UNROLL
  for (int i = 0; i < LANES; ++i) {
    x[i] = count == LANES ? load_elements(K_DTYPE, row[i] + offset) : load_some(K_DTYPE, row[i] + offset, count);
  }
  transpose_16x16(x);
  UNROLL
  for (int i = 0; i < LANES; ++i) {
    store(to + i * to_stride, x[i]);
  }
}

/* Keys [first, first + keys) as panels of MICRO_VECTORS * 16 keys, each [padded d_qk][width]. A panel's lanes past
 * `keys` repeat the last key (softmax overwrites what they produce): nothing past the tensor is read. */
INLINE void pack_k(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* k) {
  const int64_t bytes = dtype_bytes(K_DTYPE);
  const int64_t width = MICRO_VECTORS * LANES;
  const int whole = HEAD_DIM_QK / LANES;
  const int tail = HEAD_DIM_QK % LANES;
  const char* base = (const char*)args->k +
                     (batch * args->k_stride[0] + head_kv * args->k_stride[2] + first * args->k_stride[1]) * bytes;
  const int64_t end = (keys + width - 1) / width * width;
  for (int64_t j = 0; j < end; j += LANES) {
    float* to = k + j / width * width * padded(HEAD_DIM_QK) + j % width;
    const char* row[LANES];
    UNROLL
    for (int i = 0; i < LANES; ++i) {
      const int64_t key = j + i < keys ? j + i : keys - 1;
      row[i] = base + key * args->k_stride[1] * bytes;
    }
    for (int v = 0; v < whole; ++v) {
      pack_k_block(row, v * LANES * bytes, LANES, to + v * LANES * width, width);
    }
    if (tail != 0) {
      pack_k_block(row, whole * LANES * bytes, tail, to + whole * LANES * width, width);
    }
  }
}

/* Keys [first, first + keys) as panels of up to MICRO_VECTORS vectors of d_v, each [TILE_N][width]; d_v is padded with
 * zeros to whole vectors, the last panel is narrower when vectors do not divide. */
INLINE void pack_v(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* v) {
  const int64_t bytes = dtype_bytes(V_DTYPE);
  const int whole = HEAD_DIM_V / LANES;
  const int tail = HEAD_DIM_V % LANES;
  const int64_t vectors = vectors_of(HEAD_DIM_V);
  const char* base = (const char*)args->v +
                     (batch * args->v_stride[0] + head_kv * args->v_stride[2] + first * args->v_stride[1]) * bytes;
  for (int64_t j = 0; j < keys; ++j) {
    const char* row = base + j * args->v_stride[1] * bytes;
    for (int64_t i = 0; i < vectors; ++i) {
      const int64_t panel = i / MICRO_VECTORS * MICRO_VECTORS;
      const int64_t width = vectors - panel < MICRO_VECTORS ? vectors - panel : MICRO_VECTORS;
      float* to = v + (panel * TILE_N + j * width + (i - panel)) * LANES;
      store(to, i < whole ? load_elements(V_DTYPE, row + i * LANES * bytes)
                          : load_some(V_DTYPE, row + whole * LANES * bytes, tail));
    }
  }
}

#endif
