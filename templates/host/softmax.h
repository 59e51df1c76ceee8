/* Online softmax over one key tile (Milakov and Gimelshein, "Online normalizer calculation for softmax", algorithm 3;
 * as used by FlashAttention-2, algorithm 1), in units of log2: scores arrive times log2(e), so 2^x stands for e^x. */
#ifndef ATTENTUNE_HOST_SOFTMAX_H
#define ATTENTUNE_HOST_SOFTMAX_H

#include "templates/host/constants.h"
#include "templates/host/convert.h"
#include "templates/host/exp2.h"
#include "templates/host/mask.h"
#include "templates/host/terms.h"
#include "templates/host/vector.h"

#define LOG2_E 0x1.715476p0f
#define LN_2 0x1.62e42fefa39efp-1

/* S of one row through the score expression; Q carried the scale alone then, or only its sign (pack.h). */
INLINE void apply_score(float* s, int64_t width, float scale) {
  for (int64_t j = 0; j < width; ++j) {
    s[j] = attentune_score(PRODUCT == PRODUCT_FMA ? s[j] : s[j] * scale) * LOG2_E;
  }
}

/* Keys the mask hides from row i (plus shift) get -inf. */
INLINE void apply_mask(float* s, int64_t keys, int64_t i, int64_t first_key, const int64_t* arguments) {
  for (int64_t j = 0; j < keys; ++j) {
    const float score = s[j]; /* read in any case: a read under a condition costs a second comparison */
    s[j] = attentune_visible(i, first_key + j, arguments) ? score : -__builtin_inff();
  }
}

/* Lanes [keys, width) hold no key at all. */
INLINE void hide_padding(float* s, int64_t keys, int64_t width) {
  for (int64_t j = keys; j < width; ++j) {
    s[j] = -__builtin_inff();
  }
}

/* The largest score of a row of `vectors` vectors. */
INLINE float row_max(const float* s, int64_t vectors) {
  vec largest = load(s);
  for (int64_t v = 1; v < vectors; ++v) {
    largest = larger(load(s + v * LANES), largest);
  }
  return horizontal_max(largest);
}

/* 16 rows at once: m takes in the tile's maxima, which `alpha` holds on entry; on return `alpha` is the factor for what
 * was summed before and `origin` what to subtract from scores. A row that has seen no key yet subtracts 0 instead of
 * -inf, which keeps its P at 2^-inf = 0. */
INLINE void update_maxima(float* m, float* alpha, float* origin) {
  const vec minus_infinity = splat(-__builtin_inff());
  const vec before = load(m);
  const vec after = larger(load(alpha), before);
  const vec from = select_vec(after == minus_infinity, splat(0.0f), after);
  store(m, after);
  store(alpha, exp2_vec(before - from));
  store(origin, from);
}

INLINE vec exp2_of_score(const float* s, float factor, float origin) {
  const vec x = load(s);
  return exp2_vec(PRODUCT == PRODUCT_FMA ? x - splat(origin) : x * splat(factor) - splat(origin));
}

/* S to P for one row, p at s or s_begin before s; l gets the sum. P takes half of S's room where products read pairs,
 * one and a half times where the pairs have three terms. */
INLINE void row_exp2(const float* s, float* p, int64_t vectors, float factor, float origin, float alpha, float* l) {
  vec sum = load(l) * splat(alpha);
  if (pv_apart()) {
    const int terms = terms_of(V_DTYPE);
    const uint32_t round = terms == 3 ? CUT : TO_NEAREST;
    for (int64_t v = 0; v < vectors; v += 2) {
      const vec low = exp2_of_score(s + v * LANES, factor, origin);
      const vec high = exp2_of_score(s + (v + 1) * LANES, factor, origin);
      UNROLL
      for (int term = 0; term < terms; ++term) {
        store(p + (v / 2 * terms + term) * LANES, pairs_of(low, high, term, round));
      }
      sum = sum + low + high;
    }
  } else {
    for (int64_t v = 0; v < vectors; ++v) {
      const vec each = exp2_of_score(s + v * LANES, factor, origin);
      if (PRODUCT == PRODUCT_FMA) {
        store(p + v * LANES, each);
      } else {
        *(u16vec_memory*)((char*)p + v * LANES * 2) = probability_to_bf16(each);
      }
      sum = sum + each;
    }
  }
  store(l, sum);
}

#endif
