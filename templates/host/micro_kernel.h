/* The one inner loop of both products: C[rows][vectors * 16] += A[rows][depth] * B[depth][vectors * 16], all of C in
 * registers, A broadcast (the outer-product form of Goto and van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication", section 5). S = Q K^T starts from zero; O = alpha * O + P V loads C and scales it by row.
 *
 * A step of depth is 4 bytes of A and B: one f32, or two bf16 where the product takes pairs. */
#ifndef ATTENTUNE_HOST_MICRO_KERNEL_H
#define ATTENTUNE_HOST_MICRO_KERNEL_H

#include "templates/host/constants.h"
#include "templates/host/isa.h"
#include "templates/host/terms.h"
#include "templates/host/vector.h"

INLINE void micro_step(int rows, int vectors, const float* a, int64_t a_stride, const float* b,
                       vec sum[MAX_MICRO_ROWS][MAX_MICRO_VECTORS]) {
  vec row[MAX_MICRO_VECTORS];
  UNROLL
  for (int v = 0; v < vectors; ++v) {
    row[v] = load(b + v * LANES);
  }
  UNROLL
  for (int r = 0; r < rows; ++r) {
    const vec broadcast = splat(a[r * a_stride]);
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      if (PRODUCT == PRODUCT_DOT) {
        attentune_dot_bf16(&sum[r][v], &broadcast, &row[v]);
      } else {
        sum[r][v] = broadcast * row[v] + sum[r][v];
      }
    }
  }
}

/* The steps [begin, end) of depth. row_scale: null to start from zero. accumulate: C gets the sum on top. */
INLINE void vector_steps(int rows, int vectors, int64_t begin, int64_t end, const float* a, int64_t a_stride,
                         const float* b, int64_t b_stride, float* c, int64_t c_stride, const float* row_scale,
                         int accumulate) {
  vec sum[MAX_MICRO_ROWS][MAX_MICRO_VECTORS];
  UNROLL
  for (int r = 0; r < rows; ++r) {
    const vec factor = splat(row_scale ? row_scale[r] : 0.0f);
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      sum[r][v] = row_scale ? factor * load(c + r * c_stride + v * LANES) : splat(0.0f);
    }
  }
  int64_t k = begin;
  for (; k + STEPS <= end; k += STEPS) {
    UNROLL
    for (int step = 0; step < STEPS; ++step) {
      micro_step(rows, vectors, a + k + step, a_stride, b + (k + step) * b_stride, sum);
      /* Loads of a later step must not move up over these products: every register is taken, they would spill. */
      __asm__ volatile("" ::: "memory");
    }
  }
  if (STEPS > 1) {
    for (; k < end; ++k) {
      micro_step(rows, vectors, a + k, a_stride, b + k * b_stride, sum);
    }
  }
  UNROLL
  for (int r = 0; r < rows; ++r) {
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      float* const to = c + r * c_stride + v * LANES;
      store(to, accumulate ? load(to) + sum[r][v] : sum[r][v]);
    }
  }
}

/* The error of a running sum grows with its length; a long S is one of parts. */
#define LONGEST_SUM 128

/* row_scale: null to start from zero. */
INLINE void vector_kernel(int rows, int vectors, int64_t depth, const float* a, int64_t a_stride, const float* b,
                          int64_t b_stride, float* c, int64_t c_stride, const float* row_scale) {
  const int64_t first_end = row_scale || depth < LONGEST_SUM ? depth : LONGEST_SUM;
  vector_steps(rows, vectors, 0, first_end, a, a_stride, b, b_stride, c, c_stride, row_scale, 0);
  for (int64_t begin = first_end; begin < depth; begin += LONGEST_SUM) {
    const int64_t end = begin + LONGEST_SUM < depth ? begin + LONGEST_SUM : depth;
    vector_steps(rows, vectors, begin, end, a, a_stride, b, b_stride, c, c_stride, 0, 1);
  }
}

/* Memory to ask for while a micro-kernel runs. */
typedef struct Ahead {
  const float* from;
  int64_t lines;
} Ahead;

/* Where the next lines begin. */
INLINE const float* prefetch_lines(const float* from, int64_t lines) {
  for (int64_t line = 0; line < lines; ++line) {
    __builtin_prefetch(from + line * LANES, 0, 2);
  }
  return from + lines * LANES;
}

/* 32 x 32 in tile registers; depth in whole tiles of 16 steps, strides in bytes. The terms of a tile's numbers follow
 * one another, along a row of A, down the columns of B; the tail follows them. Rows of C are scaled before
 * (rescale_rows). */
INLINE void tile_kernel(int64_t depth, Terms terms, const float* a, int64_t a_bytes, const float* b, int64_t b_bytes,
                        float* c, int64_t c_bytes, int accumulate, Ahead ahead) {
  const int64_t steps = (depth * products_of(terms.a, terms.b, terms.most) + terms.tail) / LANES;
  const int64_t lines = (ahead.lines + steps - 1) / steps; /* a few a step: products would wait behind many at once */
  if (accumulate) {
    attentune_tile_load(c, c_bytes);
  } else {
    attentune_tile_zero();
  }
  for (int64_t k = 0; k < depth; k += LANES) {
    UNROLL
    for (int i = 0; i < terms.a; ++i) {
      UNROLL
      for (int j = 0; j < terms.b && i + j < terms.most; ++j) {
        ahead.from = prefetch_lines(ahead.from, lines);
        attentune_tile_step(a + k * terms.a + i * LANES, a_bytes,
                            (const float*)((const char*)b + (k * terms.b + j * LANES) * b_bytes), b_bytes);
      }
    }
  }
  for (int64_t k = 0; k < terms.tail; k += LANES) {
    ahead.from = prefetch_lines(ahead.from, lines);
    attentune_tile_step(a + depth * terms.a + k, a_bytes,
                        (const float*)((const char*)b + (depth * terms.b + k) * b_bytes), b_bytes);
  }
  attentune_tile_store(c, c_bytes);
}

INLINE void micro_kernel(int rows, int vectors, int64_t depth, Terms terms, const float* a, int64_t a_stride,
                         const float* b, int64_t b_stride, float* c, int64_t c_stride, const float* row_scale,
                         Ahead ahead) {
  if (PRODUCT == PRODUCT_TILE) {
    tile_kernel(depth, terms, a, a_stride * 4, b, b_stride * 4, c, c_stride * 4, row_scale != 0, ahead);
  } else {
    prefetch_lines(ahead.from, ahead.lines);
    vector_kernel(rows, vectors, depth, a, a_stride, b, b_stride, c, c_stride, row_scale);
  }
}

#endif
