/* Few rows against many keys (decode): every byte of K and V is used for a handful of products, so it is read once,
 * where it lies and in its own dtype, and turned to f32 in registers. S is made of dot products along d; the 16 lanes
 * of a sum are added at the end, 16 keys at a time.
 *
 * Elements travel in blocks of 32. One load of 32 bf16 gives the even ones by a shift and the odd ones by a mask, so Q
 * and O are kept in that order, too. The last block of a row begins 32 elements before the row's end and may overlap
 * the one before: Q is zero in the overlap, and O gets the same numbers twice. */
#ifndef ATTENTUNE_HOST_STREAM_H
#define ATTENTUNE_HOST_STREAM_H

#include "templates/attention_args.h"
#include "templates/host/convert.h"
#include "templates/host/pack.h"
#include "templates/host/scratch.h"
#include "templates/host/tasks.h"
#include "templates/host/vector.h"

enum { BLOCK = 2 * LANES };

typedef struct Block {
  vec first;
  vec second;
} Block;

INLINE int block_count(int d) { return (d + BLOCK - 1) / BLOCK; }
INLINE int block_begin(int d, int block) {
  return d < BLOCK ? 0 : block * BLOCK + BLOCK <= d ? block * BLOCK : d - BLOCK;
}

INLINE Block load_whole_block(int dtype, const char* p) {
  Block block;
  if (dtype == DTYPE_BF16) {
    const uvec pairs = *(const uvec_memory*)p;
    block.first = (vec)(pairs << 16);
    block.second = (vec)(pairs & 0xffff0000u);
  } else {
    block.first = load_elements(dtype, p);
    block.second = load_elements(dtype, p + LANES * dtype_bytes(dtype));
  }
  return block;
}

/* Block number `block` of a row of d elements. */
INLINE Block load_block(int dtype, const char* row, int d, int block) {
  if (d >= BLOCK) {
    return load_whole_block(dtype, row + block_begin(d, block) * dtype_bytes(dtype));
  }
  float padded_row[BLOCK] __attribute__((aligned(64))) = {0};
  __builtin_memcpy(padded_row, row, (uint64_t)(d * dtype_bytes(dtype)));
  return load_whole_block(dtype, (const char*)padded_row);
}

/* From the order in memory to the order of load_whole_block, and back. */
INLINE Block split_block(int dtype, vec a, vec b) {
  Block block = {a, b};
  if (dtype == DTYPE_BF16) {
    block.first = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    block.second = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  }
  return block;
}
INLINE Block join_block(int dtype, vec a, vec b) {
  Block block = {a, b};
  if (dtype == DTYPE_BF16) {
    block.first = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    block.second = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
  return block;
}

/* One row of Q, packed in order, to blocks; in the last one the overlap becomes zero. */
INLINE void split_q(float* q) {
  float row[MAX_STREAM_DIM] __attribute__((aligned(64)));
  const int blocks = block_count(HEAD_DIM_QK);
  for (int i = 0; i < blocks * BLOCK; i += LANES) {
    store(row + i, i < HEAD_DIM_QK ? load(q + i) : splat(0.0f));
  }
  for (int block = 0; block < blocks; ++block) {
    const int begin = block_begin(HEAD_DIM_QK, block);
    for (int i = begin; i < block * BLOCK; ++i) {
      row[i] = 0.0f;
    }
    const Block x = split_block(K_DTYPE, load(row + begin), load(row + begin + LANES));
    store(q + block * BLOCK, x.first);
    store(q + block * BLOCK + LANES, x.second);
  }
}

/* One row of O from blocks back to the order of d. */
INLINE void join_o(float* o) {
  for (int block = 0; block < block_count(HEAD_DIM_V); ++block) {
    const Block x = join_block(V_DTYPE, load(o + block * BLOCK), load(o + block * BLOCK + LANES));
    store(o + block_begin(HEAD_DIM_V, block), x.first);
    store(o + block_begin(HEAD_DIM_V, block) + LANES, x.second);
  }
}

/* Lane i of the result: the sum of the lanes of x[i]. A transposition that adds as it goes. */
INLINE vec sums_of(vec x[LANES]) {
  transpose_16x16(x);
  UNROLL
  for (int step = 8; step > 0; step /= 2) {
    UNROLL
    for (int i = 0; i < step; ++i) {
      x[i] = x[i] + x[i + step];
    }
  }
  return x[0];
}

/* MICRO_ROWS rows of Q by MICRO_VECTORS keys: one sum of 16 lanes each, to partial[row][key]. */
INLINE void stream_dots(const float* q, const char* const row[MAX_MICRO_VECTORS], float* partial) {
  vec sum[MAX_MICRO_ROWS][MAX_MICRO_VECTORS];
  UNROLL
  for (int r = 0; r < MICRO_ROWS; ++r) {
    UNROLL
    for (int j = 0; j < MICRO_VECTORS; ++j) {
      sum[r][j] = splat(0.0f);
    }
  }
  for (int block = 0; block < block_count(HEAD_DIM_QK); ++block) {
    UNROLL
    for (int j = 0; j < MICRO_VECTORS; ++j) {
      const Block k = load_block(K_DTYPE, row[j], HEAD_DIM_QK, block);
      UNROLL
      for (int r = 0; r < MICRO_ROWS; ++r) {
        const float* at = q + r * q_stride() + block * BLOCK;
        sum[r][j] = load(at) * k.first + sum[r][j];
        sum[r][j] = load(at + LANES) * k.second + sum[r][j];
      }
    }
  }
  UNROLL
  for (int r = 0; r < MICRO_ROWS; ++r) {
    UNROLL
    for (int j = 0; j < MICRO_VECTORS; ++j) {
      store(partial + (r * LANES + j) * LANES, sum[r][j]);
    }
  }
}

/* S of one key tile. Keys past the last repeat it (softmax hides them). V's rows of the same tile are on their way
 * meanwhile. */
INLINE void stream_qk(const Scratch* scratch, int64_t rows, int64_t keys, const char* k, int64_t k_bytes, const char* v,
                      int64_t v_bytes) {
  float partial[MAX_MICRO_ROWS * LANES * LANES] __attribute__((aligned(64)));
  for (int64_t j = 0; j < keys; j += LANES) {
    for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
      for (int64_t i = 0; i < LANES; i += MICRO_VECTORS) {
        const char* row[MAX_MICRO_VECTORS];
        UNROLL
        for (int n = 0; n < MICRO_VECTORS; ++n) {
          const int64_t key = j + i + n < keys ? j + i + n : keys - 1;
          row[n] = k + key * k_bytes;
          if (r == 0) {
            prefetch_row(v + key * v_bytes, HEAD_DIM_V * dtype_bytes(V_DTYPE));
          }
        }
        stream_dots(scratch->q + r * q_stride(), row, partial + i * LANES);
      }
      for (int64_t n = 0; n < MICRO_ROWS; ++n) {
        vec x[LANES];
        UNROLL
        for (int i = 0; i < LANES; ++i) {
          x[i] = load(partial + (n * LANES + i) * LANES);
        }
        store(scratch->s + (r + n) * s_stride() + j, sums_of(x));
      }
    }
  }
}

/* O = alpha O + P V for MICRO_ROWS rows and `blocks` blocks of d_v from number `first` on. K's rows of the next tile
 * are on their way meanwhile. */
INLINE void stream_pv_blocks(const Scratch* scratch, int64_t r, int64_t keys, const char* v, int64_t v_bytes,
                             const char* next_k, int64_t k_bytes, int first, int blocks) {
  vec sum[MAX_MICRO_ROWS][MAX_MICRO_VECTORS];
  float* o = scratch->o + r * o_stride() + first * BLOCK;
  UNROLL
  for (int n = 0; n < MICRO_ROWS; ++n) {
    UNROLL
    for (int i = 0; i < 2 * blocks; ++i) {
      sum[n][i] = load(o + n * o_stride() + i * LANES) * splat(scratch->alpha[r + n]);
    }
  }
  const float* p = scratch->s + r * s_stride();
  for (int64_t j = 0; j < keys; ++j) {
    if (next_k) {
      prefetch_row(next_k + j * k_bytes, HEAD_DIM_QK * dtype_bytes(K_DTYPE));
    }
    UNROLL
    for (int i = 0; i < blocks; ++i) {
      const Block x = load_block(V_DTYPE, v + j * v_bytes, HEAD_DIM_V, first + i);
      UNROLL
      for (int n = 0; n < MICRO_ROWS; ++n) {
        const vec weight = splat(p[n * s_stride() + j]);
        sum[n][2 * i] = weight * x.first + sum[n][2 * i];
        sum[n][2 * i + 1] = weight * x.second + sum[n][2 * i + 1];
      }
    }
  }
  UNROLL
  for (int n = 0; n < MICRO_ROWS; ++n) {
    UNROLL
    for (int i = 0; i < 2 * blocks; ++i) {
      store(o + n * o_stride() + i * LANES, sum[n][i]);
    }
  }
}

INLINE void stream_pv(const Scratch* scratch, int64_t rows, int64_t keys, const char* v, int64_t v_bytes,
                      const char* next_k, int64_t k_bytes) {
  const int at_once = MICRO_VECTORS / 2;
  const int blocks = block_count(HEAD_DIM_V);
  const int whole = blocks / at_once * at_once;
  for (int64_t r = 0; r < rows; r += MICRO_ROWS) {
    for (int first = 0; first < whole; first += at_once) {
      stream_pv_blocks(scratch, r, keys, v, v_bytes, r == 0 && first == 0 ? next_k : 0, k_bytes, first, at_once);
    }
    if (whole < blocks) {
      stream_pv_blocks(scratch, r, keys, v, v_bytes, r == 0 && whole == 0 ? next_k : 0, k_bytes, whole, blocks - whole);
    }
  }
}

#endif
