/* 16 x 16 transposition in registers: four rounds of interleaving, 32, 64, 128 and 256 bits wide. The first two stay
 * inside 128-bit lanes (unpcklps, unpcklpd), the last two move whole lanes, so narrower targets get them as renames. */
#ifndef ATTENTUNE_HOST_TRANSPOSE_H
#define ATTENTUNE_HOST_TRANSPOSE_H

#include "templates/host/vector.h"

INLINE void transpose_16x16(vec x[16]) {
  vec y[16];
  UNROLL
  for (int i = 0; i < 16; i += 2) {
    y[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    y[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  UNROLL
  for (int i = 0; i < 16; i += 4) {
    UNROLL
    for (int j = 0; j < 2; ++j) {
      x[i + 2 * j] =
          __builtin_shufflevector(y[i + j], y[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      x[i + 2 * j + 1] =
          __builtin_shufflevector(y[i + j], y[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  }
  /* Now 128-bit lane L of x[4 * g + c] holds column 4 * L + c of rows 4 * g .. 4 * g + 3. */
  UNROLL
  for (int c = 0; c < 4; ++c) {
    const vec low01 = __builtin_shufflevector(x[c], x[c + 4], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const vec high01 =
        __builtin_shufflevector(x[c], x[c + 4], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const vec low23 =
        __builtin_shufflevector(x[c + 8], x[c + 12], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const vec high23 =
        __builtin_shufflevector(x[c + 8], x[c + 12], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    y[c] = __builtin_shufflevector(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[c + 4] = __builtin_shufflevector(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    y[c + 8] = __builtin_shufflevector(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[c + 12] = __builtin_shufflevector(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  UNROLL
  for (int i = 0; i < 16; ++i) {
    x[i] = y[i];
  }
}

#endif
