/* Tiles of Q, K and V as the micro-kernel wants them: steps of 4 bytes (micro_kernel.h), aligned, padding defined. */
#ifndef ATTENTUNE_HOST_PACK_H
#define ATTENTUNE_HOST_PACK_H

#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/rows.h"
#include "templates/host/scratch.h"
#include "templates/host/transpose.h"
#include "templates/host/vector.h"

/* 16 steps of a row of Q or K from `offset` steps on: f32, or bf16 as it stands in memory. */
INLINE vec load_steps(int dtype, const char* row, int offset) {
  return PRODUCT == PRODUCT_FMA ? load_elements(dtype, row + offset * dtype_bytes(dtype))
                                : *(const vec_memory*)(row + offset * 4);
}

/* The `count` < 16 * step_elements() elements at the end of a row, zeros behind them. */
INLINE vec load_last_steps(int dtype, const char* row, int offset, int count) {
  float padded_row[LANES] __attribute__((aligned(64))) = {0};
  const char* from = row + offset * step_elements() * dtype_bytes(dtype);
  __builtin_memcpy(padded_row, from, (uint64_t)(count * dtype_bytes(dtype)));
  return load_steps(dtype, (const char*)padded_row, 0);
}

/* bf16 stays as it stands, but for what S * |scale| cannot say: the sign of the scale, and a scale of zero. */
INLINE vec with_sign_of(float scale, vec pairs) {
  const uvec bits = (uvec)pairs;
  return (vec)(scale < 0 ? bits ^ 0x80008000u : scale == 0 ? bits & 0u : bits);
}

/* Rows [first, first + rows) of one KV head, f32 times `scale`; up to the next whole micro-kernel zero rows follow. */
INLINE void pack_q(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t rows, float scale,
                   float* q) {
  const int64_t bytes = dtype_bytes(Q_DTYPE);
  const int whole = HEAD_DIM_QK / (LANES * (int)step_elements());
  const int tail = HEAD_DIM_QK % (LANES * (int)step_elements());
  const int64_t stride = q_stride();
  for (int64_t r = 0; r < rows; ++r) {
    const char* row = (const char*)args->q + (batch * args->q_stride[0] + query_of(first + r) * args->q_stride[1] +
                                              head_of(first + r, head_kv) * args->q_stride[2]) *
                                                 bytes;
    for (int v = 0; v < whole; ++v) {
      const vec x = load_steps(Q_DTYPE, row, v * LANES);
      store(q + r * stride + v * LANES, PRODUCT == PRODUCT_FMA ? x * splat(scale) : with_sign_of(scale, x));
    }
    if (tail != 0) {
      const vec x = load_last_steps(Q_DTYPE, row, whole * LANES, tail);
      store(q + r * stride + whole * LANES, PRODUCT == PRODUCT_FMA ? x * splat(scale) : with_sign_of(scale, x));
    }
  }
  const int64_t end = (rows + MICRO_ROWS - 1) / MICRO_ROWS * MICRO_ROWS;
  for (int64_t i = rows * stride; i < end * stride; i += LANES) {
    store(q + i, splat(0.0f));
  }
}

/* 16 keys by 16 steps of d, transposed into 16 rows of a panel. count elements, fewer than 16 steps only at the end of
 * d. */
INLINE void pack_k_block(const char* const row[LANES], int offset, int count, float* to, int64_t to_stride) {
  vec x[LANES];
  UNROLL
  for (int i = 0; i < LANES; ++i) {
    x[i] = count == LANES * step_elements() ? load_steps(K_DTYPE, row[i], offset)
                                            : load_last_steps(K_DTYPE, row[i], offset, count);
  }
  transpose_16x16(x);
  UNROLL
  for (int i = 0; i < LANES; ++i) {
    store(to + i * to_stride, x[i]);
  }
}

/* Keys [first, first + keys) as panels of MICRO_VECTORS * 16 keys, each [padded steps of d_qk][width]. A panel's lanes
 * past `keys` repeat the last key (softmax overwrites what they produce): nothing past the tensor is read. */
INLINE void pack_k(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* k) {
  const int64_t bytes = dtype_bytes(K_DTYPE);
  const int64_t width = MICRO_VECTORS * LANES;
  const int block = LANES * (int)step_elements();
  const int whole = HEAD_DIM_QK / block;
  const int tail = HEAD_DIM_QK % block;
  const char* base = (const char*)args->k +
                     (batch * args->k_stride[0] + head_kv * args->k_stride[2] + first * args->k_stride[1]) * bytes;
  const int64_t end = (keys + width - 1) / width * width;
  for (int64_t j = 0; j < end; j += LANES) {
    float* to = k + j / width * width * padded(steps_of(HEAD_DIM_QK)) + j % width;
    const char* row[LANES];
    UNROLL
    for (int i = 0; i < LANES; ++i) {
      const int64_t key = j + i < keys ? j + i : keys - 1;
      row[i] = base + key * args->k_stride[1] * bytes;
    }
    for (int v = 0; v < whole; ++v) {
      pack_k_block(row, v * LANES, block, to + v * LANES * width, width);
    }
    if (tail != 0) {
      pack_k_block(row, whole * LANES, tail, to + whole * LANES * width, width);
    }
  }
}

/* 16 columns of V of one step: an element of one key, or the elements of two keys side by side (the second key's zero
 * where there is none). `last` holds the columns past the last whole vector. */
INLINE vec load_v(const char* row, const char* next, int64_t column, int count) {
  const int64_t offset = column * dtype_bytes(V_DTYPE);
  if (PRODUCT == PRODUCT_FMA) {
    return count == LANES ? load_elements(V_DTYPE, row + offset) : load_some(V_DTYPE, row + offset, count);
  }
  uint16_t buffer[2][LANES] __attribute__((aligned(64))) = {{0}};
  __builtin_memcpy(buffer[0], row + offset, (uint64_t)count * 2);
  if (next) {
    __builtin_memcpy(buffer[1], next + offset, (uint64_t)count * 2);
  }
  const uvec low = __builtin_convertvector(*(const u16vec_memory*)buffer[0], uvec);
  const uvec high = __builtin_convertvector(*(const u16vec_memory*)buffer[1], uvec);
  return (vec)(low | high << 16);
}

/* Keys [first, first + keys) as panels of up to MICRO_VECTORS vectors of d_v, each [steps of TILE_N][width]; d_v is
 * padded with zeros to o_columns, the last panel is narrower when vectors do not divide. */
INLINE void pack_v(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* v) {
  const int64_t bytes = dtype_bytes(V_DTYPE);
  const int whole = HEAD_DIM_V / LANES;
  const int tail = HEAD_DIM_V % LANES;
  const int64_t vectors = vectors_of(o_columns());
  const int64_t tile_steps = TILE_N / step_elements();
  const int64_t steps = steps_of(keys);
  const char* base = (const char*)args->v +
                     (batch * args->v_stride[0] + head_kv * args->v_stride[2] + first * args->v_stride[1]) * bytes;
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t j = step * step_elements();
    const char* row = base + j * args->v_stride[1] * bytes;
    const char* next = j + 1 < keys ? row + args->v_stride[1] * bytes : 0;
    for (int64_t i = 0; i < vectors; ++i) {
      const int64_t panel = i / MICRO_VECTORS * MICRO_VECTORS;
      const int64_t width = vectors - panel < MICRO_VECTORS ? vectors - panel : MICRO_VECTORS;
      float* to = v + (panel * tile_steps + step * width + (i - panel)) * LANES;
      store(to, i < whole                 ? load_v(row, next, i * LANES, LANES)
                : i == whole && tail != 0 ? load_v(row, next, whole * LANES, tail)
                                          : splat(0.0f));
    }
  }
  if (PRODUCT == PRODUCT_TILE) {
    /* Tiles of B are whole: zeros, for P is zero there, but garbage might be NaN. */
    for (int64_t panel = 0; panel < vectors; panel += MICRO_VECTORS) {
      for (int64_t i = steps * MICRO_VECTORS; i < padded(steps) * MICRO_VECTORS; ++i) {
        store(v + (panel * tile_steps + i) * LANES, splat(0.0f));
      }
    }
  }
}

#endif
