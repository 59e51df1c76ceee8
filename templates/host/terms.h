/* Numbers as sums of bf16, for a unit that multiplies nothing else (PRODUCT_TILE). Cutting the lowest 16 bits off an
 * f32 leaves a bf16, and what was cut off is an f32 again: three rounds take all 24 significant bits, two the 11 of an
 * f16. So x = term 0 + term 1 + term 2 without an error, term n is below 2^(1-8n) |x|, and a product of two f32 is the
 * sum of the products of their terms, each exact in f32 (Henry, Tang and Heinecke, "Leveraging the bfloat16 artificial
 * intelligence datatype for higher-precision computations", 2019). Products of term i and term j with i + j < 3 leave
 * out a 2^-21 of it at most, 2^-24 on average, less than f32 sums lose on the way.
 *
 * The unit takes numbers below 2^-126 for zero, so what is below 2^-103 has fewer bits; infinities become NaN. */
#ifndef ATTENTUNE_HOST_TERMS_H
#define ATTENTUNE_HOST_TERMS_H

#include "templates/host/constants.h"
#include "templates/host/vector.h"

INLINE int terms_of(int dtype) {
  return PRODUCT != PRODUCT_TILE || dtype == DTYPE_BF16 ? 1 : dtype == DTYPE_F16 ? 2 : 3;
}

/* Which elements of a row share a step: bf16 lies in memory as neighbours, 2 n and 2 n + 1. Where anything is taken
 * apart, element n of 32 and element n + 16, because two vectors become pairs by a shift and an "or". */
INLINE int qk_apart(void) { return PRODUCT == PRODUCT_TILE && (Q_DTYPE != DTYPE_BF16 || K_DTYPE != DTYPE_BF16); }
INLINE int pv_apart(void) { return PRODUCT == PRODUCT_TILE && V_DTYPE != DTYPE_BF16; }

/* Terms of A and of B; which of their products count, those of terms i and j with i + j < most; and the steps at the
 * end that are no terms (qk_tail). */
typedef struct Terms {
  int a;
  int b;
  int most;
  int tail;
} Terms;

/* S is wanted as exactly as f32 can say it, whatever Q and K are: LSE shows it. */
enum { QK_MOST = 3 };

INLINE int products_of(int a, int b, int most) {
  int count = 0;
  UNROLL
  for (int i = 0; i < a; ++i) {
    count += most - i < b ? most - i : b;
  }
  return count;
}

/* The elements of d past the last 32 would take a tile for every product, most of it zeros. They take fewer where all
 * products stand side by side in one row: of Q its term i, of K its term j, for each i and j that counts. The steps of
 * that row, whole tiles; 0 where it is not shorter, as where one product is all there is. */
INLINE int qk_tail(void) {
  const int products = products_of(terms_of(Q_DTYPE), terms_of(K_DTYPE), QK_MOST);
  const int tiles = (HEAD_DIM_QK % 32 * products + 31) / 32;
  return tiles < products ? tiles * LANES : 0;
}

INLINE Terms qk_terms(void) {
  const Terms terms = {terms_of(Q_DTYPE), terms_of(K_DTYPE), QK_MOST, qk_tail()};
  return terms;
}

/* O to the precision of P, which is V's. */
INLINE Terms pv_terms(void) {
  const int each = terms_of(V_DTYPE);
  const Terms terms = {each, each, each, 0};
  return terms;
}

/* Term number `term` of x, its bf16 in the upper half of the lane. `round`: what is added before the lower half is cut
 * off, CUT where the terms hold all of x, so that the largest numbers stay finite, or TO_NEAREST where they do not, so
 * that what is lost has no sign of its own. */
enum { CUT = 0, TO_NEAREST = 0x8000 };

INLINE uvec term_of_vec(vec x, int term, uint32_t round) {
  UNROLL
  for (int n = 0; n < term; ++n) {
    x = x - (vec)(((uvec)x + round) & 0xffff0000u);
  }
  return ((uvec)x + round) & 0xffff0000u;
}

/* That term of 16 pairs. */
INLINE vec pairs_of(vec low, vec high, int term, uint32_t round) {
  return (vec)(term_of_vec(low, term, round) >> 16 | term_of_vec(high, term, round));
}

#endif
