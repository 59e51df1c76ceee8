/* Tiles of Q, K and V as the micro-kernel wants them: steps of 4 bytes (micro_kernel.h), aligned, padding defined. */
#ifndef ATTENTUNE_HOST_PACK_H
#define ATTENTUNE_HOST_PACK_H

#include "templates/attention_args.h"
#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/rows.h"
#include "templates/host/scratch.h"
#include "templates/host/terms.h"
#include "templates/host/transpose.h"
#include "templates/host/vector.h"

/* Asks for a row ahead of its use. */
INLINE void prefetch_row(const char* row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch(row + i, 0, 2);
  }
}

/* The 16 steps of Q or K at p: f32, or bf16 as it stands in memory, or one term of pairs. */
INLINE vec load_steps(int dtype, const char* p, int term) {
  if (PRODUCT == PRODUCT_FMA) {
    return load_elements(dtype, p);
  }
  return qk_apart() ? pairs_of(load_elements(dtype, p), load_elements(dtype, p + LANES * dtype_bytes(dtype)), term, CUT)
                    : *(const vec_memory*)p;
}

/* The same of `count` elements, fewer than 16 steps only at the end of a row: zeros behind them. */
INLINE vec load_some_steps(int dtype, const char* p, int count, int term) {
  if (count == LANES * (int)step_elements()) {
    return load_steps(dtype, p, term);
  }
  float padded_row[2 * LANES] __attribute__((aligned(64))) = {0};
  __builtin_memcpy(padded_row, p, (uint64_t)(count * dtype_bytes(dtype)));
  return load_steps(dtype, (const char*)padded_row, term);
}

/* The elements at p that are no whole block, in terms in one row (qk_tail): `is_b` for K, else Q. 16 steps every
 * `stride` floats. */
INLINE void spread_tail(int dtype, const char* p, int is_b, float* to, int64_t stride) {
  const int count = HEAD_DIM_QK % (2 * LANES);
  const Terms terms = qk_terms();
  float elements[2 * LANES] __attribute__((aligned(64))) = {0};
  uint16_t spread[MAX_TAIL_STEPS * 2 + 2 * LANES] __attribute__((aligned(64))) = {0};
  __builtin_memcpy(elements, p, (uint64_t)(count * dtype_bytes(dtype)));
  const char* const from = (const char*)elements;
  uint16_t* at = spread; /* what is written past `count` elements is zero, or the next product's place */
  UNROLL
  for (int i = 0; i < terms.a; ++i) {
    UNROLL
    for (int j = 0; j < terms.b && i + j < terms.most; ++j) {
      UNROLL
      for (int half = 0; half < 2; ++half) {
        const vec x = load_elements(dtype, from + half * LANES * dtype_bytes(dtype));
        *(u16vec_memory*)(at + half * LANES) = __builtin_convertvector(term_of_vec(x, is_b ? j : i, CUT) >> 16, u16vec);
      }
      at += count;
    }
  }
  for (int step = 0; step < terms.tail; step += LANES) {
    store(to + step / LANES * stride, *(const vec_memory*)(spread + 2 * step));
  }
}

/* Pairs stay as they are, but for what S * |scale| cannot say: the sign of the scale, and a scale of zero, which leaves
 * zeros, and NaN of infinities and NaN. */
INLINE vec with_sign_of(float scale, vec pairs) {
  const uvec bits = (uvec)pairs;
  if (scale == 0) {
    const ivec low = (bits & 0x7f80u) == 0x7f80u;
    const ivec high = (bits & 0x7f800000u) == 0x7f800000u;
    return (vec)(((uvec)low & 0x7fc0u) | ((uvec)high & 0x7fc00000u));
  }
  return (vec)(scale < 0 ? bits ^ 0x80008000u : bits);
}

INLINE void pack_q_block(const char* p, int count, float scale, float* to) {
  const int terms = terms_of(Q_DTYPE);
  if (qk_tail() != 0 && count != 2 * LANES) {
    spread_tail(Q_DTYPE, p, 0, to, LANES);
    for (int step = 0; step < qk_tail(); step += LANES) {
      store(to + step, with_sign_of(scale, load(to + step)));
    }
    return;
  }
  UNROLL
  for (int term = 0; term < terms; ++term) {
    const vec x = load_some_steps(Q_DTYPE, p, count, term);
    store(to + term * LANES, PRODUCT == PRODUCT_FMA ? x * splat(scale) : with_sign_of(scale, x));
  }
}

/* Rows [first, first + rows) of one KV head, times `scale` for FMA, else with its sign; up to the next whole
 * micro-kernel zero rows follow. */
INLINE void pack_q(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t rows, float scale,
                   float* q) {
  const int64_t bytes = dtype_bytes(Q_DTYPE);
  const int block = LANES * (int)step_elements();
  const int whole = HEAD_DIM_QK / block;
  const int tail = HEAD_DIM_QK % block;
  const int to_block = LANES * terms_of(Q_DTYPE);
  const int64_t stride = q_stride();
  for (int64_t r = 0; r < rows; ++r) {
    const char* row = (const char*)args->q + (batch * args->q_stride[0] + query_of(first + r) * args->q_stride[1] +
                                              head_of(first + r, head_kv) * args->q_stride[2]) *
                                                 bytes;
    for (int v = 0; v < whole; ++v) {
      pack_q_block(row + v * block * bytes, block, scale, q + r * stride + v * to_block);
    }
    if (tail != 0) {
      pack_q_block(row + whole * block * bytes, tail, scale, q + r * stride + whole * to_block);
    }
  }
  const int64_t end = (rows + MICRO_ROWS - 1) / MICRO_ROWS * MICRO_ROWS;
  for (int64_t i = rows * stride; i < end * stride; i += LANES) {
    store(q + i, splat(0.0f));
  }
}

/* 16 keys by 16 steps of d, `count` elements from `offset` bytes on, transposed into 16 rows of a panel; term after
 * term. They pass through memory, so that one transposition in the code, which is long, serves all. */
INLINE void pack_k_block(const char* const row[LANES], int64_t offset, int count, float* to, int64_t to_stride) {
  const int terms = terms_of(K_DTYPE);
  const int in_row = qk_tail() != 0 && count != 2 * LANES;
  const int squares = in_row ? qk_tail() / LANES : terms;
  float steps[MAX_TAIL_STEPS / LANES][LANES][LANES] __attribute__((aligned(64)));
  for (int i = 0; i < LANES; ++i) {
    if (in_row) {
      spread_tail(K_DTYPE, row[i] + offset, 1, steps[0][i], LANES * LANES);
      continue;
    }
    UNROLL
    for (int term = 0; term < terms; ++term) {
      store(steps[term][i], load_some_steps(K_DTYPE, row[i] + offset, count, term));
    }
  }
#pragma clang loop unroll(disable)
  for (int n = 0; n < squares; ++n) {
    vec x[LANES];
    UNROLL
    for (int i = 0; i < LANES; ++i) {
      x[i] = load(steps[n][i]);
    }
    transpose_16x16(x);
    UNROLL
    for (int i = 0; i < LANES; ++i) {
      store(to + (n * LANES + i) * to_stride, x[i]);
    }
  }
}

/* Keys [first, first + keys) as panels of MICRO_VECTORS * 16 keys, each [padded steps of d_qk, 16 of each
 * term in turn, then the tail][width]. A panel's lanes past `keys` repeat the last key (softmax overwrites what they
 * produce): nothing past the tensor is read. */
INLINE void pack_k(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* k) {
  const int64_t bytes = dtype_bytes(K_DTYPE);
  const int64_t width = MICRO_VECTORS * LANES;
  const int block = LANES * (int)step_elements();
  const int whole = HEAD_DIM_QK / block;
  const int tail = HEAD_DIM_QK % block;
  const int64_t rows = LANES * terms_of(K_DTYPE); /* of the panel, for a block */
  const int64_t key_bytes = args->k_stride[1] * bytes;
  const char* base = (const char*)args->k +
                     (batch * args->k_stride[0] + head_kv * args->k_stride[2] + first * args->k_stride[1]) * bytes;
  const int64_t end = (keys + width - 1) / width * width;
  for (int64_t j = 0; j < end; j += LANES) {
    float* to = k + j / width * width * qk_floats(terms_of(K_DTYPE)) + j % width;
    const char* row[LANES];
    UNROLL
    for (int i = 0; i < LANES; ++i) {
      const int64_t key = j + i < keys ? j + i : keys - 1;
      row[i] = base + key * key_bytes;
    }
    for (int i = 0; i < LANES; ++i) {
      prefetch_row(row[i] + LANES * key_bytes, HEAD_DIM_QK * bytes);
    }
    for (int v = 0; v < whole + (tail != 0); ++v) {
      pack_k_block(row, v * block * bytes, v < whole ? block : tail, to + v * rows * width, width);
    }
  }
}

/* Elements of `count` columns of V that one key holds, zeros for a key that is none. */
INLINE vec load_v(const char* p, int count) {
  return p == 0 ? splat(0.0f) : count == LANES ? load_elements(V_DTYPE, p) : load_some(V_DTYPE, p, count);
}

/* `count` columns of V of two keys side by side, bf16 as it stands in memory. */
INLINE vec load_v_pairs(const char* low, const char* high, int count) {
  uint16_t buffer[2][LANES] __attribute__((aligned(64))) = {{0}};
  if (low) {
    __builtin_memcpy(buffer[0], low, (uint64_t)count * 2);
  }
  if (high) {
    __builtin_memcpy(buffer[1], high, (uint64_t)count * 2);
  }
  const uvec low_bits = __builtin_convertvector(*(const u16vec_memory*)buffer[0], uvec);
  const uvec high_bits = __builtin_convertvector(*(const u16vec_memory*)buffer[1], uvec);
  return (vec)(low_bits | high_bits << 16);
}

/* 16 columns of V of one step, `count` of them there, whose keys begin at `low` and `high` (one key where a step is one
 * element), to each term's place. */
INLINE void pack_v_vector(const char* low, const char* high, int count, float* to, int64_t term_floats) {
  const int terms = terms_of(V_DTYPE);
  UNROLL
  for (int term = 0; term < terms; ++term) {
    store(to + term * term_floats, PRODUCT == PRODUCT_FMA ? load_v(low, count)
                                   : pv_apart()           ? pairs_of(load_v(low, count), load_v(high, count), term, CUT)
                                                          : load_v_pairs(low, high, count));
  }
}

/* Keys [first, first + keys) as panels of up to MICRO_VECTORS vectors of d_v, each [steps of TILE_N, 16 of each term in
 * turn][width]; d_v is padded with zeros to o_columns, the last panel is narrower when vectors do not divide. AMX reads
 * whole tiles: zeros for keys that are none, where P is zero but garbage might be NaN. */
INLINE void pack_v(const AttentionArgs* args, int64_t batch, int64_t head_kv, int64_t first, int64_t keys, float* v) {
  const int64_t bytes = dtype_bytes(V_DTYPE);
  const int whole = HEAD_DIM_V / LANES;
  const int tail = HEAD_DIM_V % LANES;
  const int64_t vectors = vectors_of(o_columns());
  const int64_t terms = terms_of(V_DTYPE);
  const int64_t tile_steps = TILE_N / step_elements() * terms;
  const int64_t key_bytes = args->v_stride[1] * bytes;
  const int64_t steps = PRODUCT == PRODUCT_TILE ? padded(steps_of(keys)) : steps_of(keys);
  const char* base = (const char*)args->v +
                     (batch * args->v_stride[0] + head_kv * args->v_stride[2] + first * args->v_stride[1]) * bytes;
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t low_key = pv_apart() ? step / LANES * 2 * LANES + step % LANES : step * step_elements();
    const int64_t high_key = low_key + (pv_apart() ? LANES : 1);
    const char* low = low_key < keys ? base + low_key * key_bytes : 0;
    const char* high = high_key < keys ? base + high_key * key_bytes : 0;
    if (PACK != PACK_NONE) {
      prefetch_row(base + (low_key + 2 * LANES) * key_bytes, HEAD_DIM_V * bytes);
    }
    if (PACK != PACK_NONE && step_elements() == 2) {
      prefetch_row(base + (high_key + 2 * LANES) * key_bytes, HEAD_DIM_V * bytes);
    }
    for (int64_t i = 0; i < vectors; ++i) {
      const int64_t panel = i / MICRO_VECTORS * MICRO_VECTORS;
      const int64_t width = vectors - panel < MICRO_VECTORS ? vectors - panel : MICRO_VECTORS;
      const int64_t row = step / LANES * terms * LANES + step % LANES;
      float* to = v + (panel * tile_steps + row * width + (i - panel)) * LANES;
      const int64_t column = i * LANES * bytes;
      const int count = i < whole ? LANES : i == whole ? tail : 0;
      const int64_t term_floats = LANES * width * LANES;
      if (count == 0) {
        pack_v_vector(0, 0, LANES, to, term_floats);
      } else {
        pack_v_vector(low ? low + column : 0, high ? high + column : 0, count, to, term_floats);
      }
    }
  }
}

#endif
