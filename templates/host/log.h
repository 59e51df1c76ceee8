/* ln x of a positive finite number or NaN, without libm: x = 2^e m with m in [1/sqrt 2, sqrt 2), ln m = 2
 * artanh((m-1)/(m+1)) (Abramowitz and Stegun 4.1.27). The argument of artanh is at most 0.172, so six terms leave
 * 2e-11. */
#ifndef ATTENTUNE_HOST_LOG_H
#define ATTENTUNE_HOST_LOG_H

#include "templates/host/vector.h"

INLINE double natural_log(float x) {
  union {
    float value;
    uint32_t bits;
  } u = {x};
  const uint32_t below_sqrt_half = 0x3f3504f3u; /* bits of 1/sqrt 2 */
  const int32_t exponent = (int32_t)(u.bits - below_sqrt_half) >> 23;
  u.bits -= (uint32_t)exponent << 23;
  const double s = ((double)u.value - 1.0) / ((double)u.value + 1.0);
  const double t = s * s;
  const double series = 1.0 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * (1.0 / 11)))));
  const double ln_2 = 0x1.62e42fefa39efp-1;
  return x != x ? (double)x : 2.0 * s * series + exponent * ln_2;
}

#endif
