/* 2^x without libm: x = n + f with n the nearest integer, 2^f a polynomial on [-1/2, 1/2], 2^n made in the exponent
 * bits.
 *
 * The polynomial is a minimax fit of degree 6 of the relative error (Remez exchange, constant term pinned to 1),
 * maximum 2.6e-9; evaluated in f32 the result is within 1 ulp. Rounding to the nearest integer by adding 1.5 * 2^23 is
 * the classical trick (see N. Schraudolph, "A Fast, Compact Approximation of the Exponential Function", for the
 * exponent bits). The last step is a product, not an integer addition to the exponent, so that NaN stays NaN. */
#ifndef ATTENTUNE_HOST_EXP2_H
#define ATTENTUNE_HOST_EXP2_H

#include "templates/host/constants.h"
#include "templates/host/isa.h"
#include "templates/host/vector.h"

#define EXP2_MAGIC 0x1.8p23f
#define EXP2_1 0x1.62e432p-1f
#define EXP2_2 0x1.ebfbe2p-3f
#define EXP2_3 0x1.c6ae72p-5f
#define EXP2_4 0x1.3b270ep-7f
#define EXP2_5 0x1.5f7276p-10f
#define EXP2_6 0x1.470b4ap-13f

/* Where hardware takes the exponent off and puts it back (Intel SDM, VREDUCEPS and VSCALEFPS), n = floor(x) and f is in
 * [0, 1). There 2^f is at least 1, so a polynomial of degree 5 will do: a minimax fit of the absolute error with the
 * constant term pinned to 1 (2^0 is exact), 1.2e-7; evaluated in f32 the result is within 1.9 ulp. */
#define EXP2_FLOOR_0 1.0f
#define EXP2_FLOOR_1 0x1.62e4e2p-1f
#define EXP2_FLOOR_2 0x1.ebd53ep-3f
#define EXP2_FLOOR_3 0x1.c96864p-5f
#define EXP2_FLOOR_4 0x1.2609dap-7f
#define EXP2_FLOOR_5 0x1.ee394cp-10f

INLINE vec exp2_scaled(vec x) {
  vec f = x;
  attentune_fraction(&f);
  vec p = f * EXP2_FLOOR_5 + EXP2_FLOOR_4;
  p = p * f + EXP2_FLOOR_3;
  p = p * f + EXP2_FLOOR_2;
  p = p * f + EXP2_FLOOR_1;
  p = p * f + EXP2_FLOOR_0;
  attentune_scale(&p, &x);
  return p;
}

/* x <= 127; 0 below -126.5 (so for -inf; subnormal numbers where hardware scales), NaN for NaN. */
INLINE vec exp2_vec(vec x) {
  if (NATIVE_SCALE) {
    return exp2_scaled(x);
  }
  /* n = -127 has exponent bits 0: the scale below is then exactly zero. */
  x = larger(splat(-127.0f), x);
  const vec shifted = x + EXP2_MAGIC;
  const vec f = x - (shifted - EXP2_MAGIC);
  vec p = f * EXP2_6 + EXP2_5;
  p = p * f + EXP2_4;
  p = p * f + EXP2_3;
  p = p * f + EXP2_2;
  p = p * f + EXP2_1;
  p = p * f + 1.0f;
  return p * (vec)(((uvec)shifted << 23) + 0x3f800000u);
}

/* The same for one number, any of them: infinity from 127.5 on. Score expressions call it by this name. */
INLINE float attentune_exp2(float x) {
  union {
    float value;
    uint32_t bits;
  } shifted, scale;
  x = -127.0f > x ? -127.0f : x;
  x = 128.0f < x ? 128.0f : x;
  shifted.value = x + EXP2_MAGIC;
  const float f = x - (shifted.value - EXP2_MAGIC);
  float p = f * EXP2_6 + EXP2_5;
  p = p * f + EXP2_4;
  p = p * f + EXP2_3;
  p = p * f + EXP2_2;
  p = p * f + EXP2_1;
  p = p * f + 1.0f;
  scale.bits = (shifted.bits << 23) + 0x3f800000u;
  return p * scale.value;
}

#endif
