// Helpers of score expressions.

// cap * tanh(s / cap). Far from 0, tanh(x) = 1 - 2 / (exp(2 x) + 1): the exponent may overflow to infinity or vanish,
// both give the limit. Near 0 that would lose relative accuracy, so a polynomial serves there:
// tanh(x) = x + x^3 P(x^2) for |x| < 0.625, minimax by Remez exchange, relative error 4.4e-9. Both are computed and one
// is selected: no branch a score.
INLINE float softcap(float s, float cap, float inverse_cap) {
  const float x = s * inverse_cap;
  const float square = x * x;
  const float e = exp2_approx(x * (2 * log2_e()));
  const float far = 1 - 2 * reciprocal_approx(e + 1);
  float sum = fmaf(-0.005704989249001959f, square, 0.02063908938072966f);
  sum = fmaf(sum, square, -0.053739715764598905f);
  sum = fmaf(sum, square, 0.13331442206256744f);
  sum = fmaf(sum, square, -0.33333281942284415f);
  const float near = fmaf(sum * square, x, x);
  return cap * (square < 0.390625f ? near : far);
}
