/* The one inner loop of both products: C[rows][vectors * 16] += A[rows][depth] * B[depth][vectors * 16], all of C in
 * registers, A broadcast (the outer-product form of Goto and van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication", section 5). S = Q K^T starts from zero; O = alpha * O + P V loads C and scales it by row. */
#ifndef ATTENTUNE_HOST_MICRO_KERNEL_H
#define ATTENTUNE_HOST_MICRO_KERNEL_H

#include "templates/host/constants.h"
#include "templates/host/vector.h"

/* row_scale: null to start from zero. */
INLINE void micro_kernel(int rows, int vectors, int64_t depth, const float* a, int64_t a_stride, const float* b,
                         int64_t b_stride, float* c, int64_t c_stride, const float* row_scale) {
  vec sum[MAX_MICRO_ROWS][MAX_MICRO_VECTORS];
  UNROLL
  for (int r = 0; r < rows; ++r) {
    const vec factor = splat(row_scale ? row_scale[r] : 0.0f);
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      sum[r][v] = row_scale ? factor * load(c + r * c_stride + v * LANES) : splat(0.0f);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    vec row[MAX_MICRO_VECTORS];
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      row[v] = load(b + k * b_stride + v * LANES);
    }
    UNROLL
    for (int r = 0; r < rows; ++r) {
      const vec broadcast = splat(a[r * a_stride + k]);
      UNROLL
      for (int v = 0; v < vectors; ++v) {
        sum[r][v] = broadcast * row[v] + sum[r][v];
      }
    }
  }
  UNROLL
  for (int r = 0; r < rows; ++r) {
    UNROLL
    for (int v = 0; v < vectors; ++v) {
      store(c + r * c_stride + v * LANES, sum[r][v]);
    }
  }
}

#endif
