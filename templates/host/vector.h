/* One vector type everywhere: 16 floats. LLVM splits it into what the target has (1 zmm, 2 ymm, 4 xmm or NEON). */
#ifndef ATTENTUNE_HOST_VECTOR_H
#define ATTENTUNE_HOST_VECTOR_H

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { LANES = 16 };

typedef float vec __attribute__((vector_size(64)));
typedef uint32_t uvec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));
typedef uint16_t u16vec __attribute__((vector_size(32)));
typedef _Float16 f16vec __attribute__((vector_size(32)));
typedef __bf16 bf16vec __attribute__((vector_size(32)));

/* The same in memory that promises no alignment and may hold any type. */
typedef float vec_memory __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint32_t uvec_memory __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint16_t u16vec_memory __attribute__((vector_size(32), aligned(1), may_alias));

INLINE vec load(const float* p) { return *(const vec_memory*)p; }
INLINE void store(float* p, vec x) { *(vec_memory*)p = x; }
INLINE vec splat(float x) { return (vec){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE uvec splat_bits(uint32_t x) { return (uvec){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

/* Lanes of a where `mask` is all ones, of b where it is zero. LLVM reads it back as a select. */
INLINE vec select_vec(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE uvec select_bits(ivec mask, uvec a, uvec b) { return ((uvec)mask & a) | (~(uvec)mask & b); }

/* a > b ? a : b, one max instruction; b where either is NaN. */
INLINE vec larger(vec a, vec b) { return select_vec(a > b, a, b); }

/* Lanes 0..15 are halved four times; the order is fixed, so results do not depend on the target. */
INLINE float horizontal_max(vec x) {
  x = larger(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  x = larger(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  x = larger(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  x = larger(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  return x[0];
}

INLINE float horizontal_sum(vec x) {
  x = x + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x = x + __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  x = x + __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  x = x + __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  return x[0];
}

#endif
