// The online softmax (Milakov and Gimelshein 2018) in base 2, on one warp's scores.

// A row's statistics lie in the four lanes of a quad.
INLINE float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}
INLINE float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}

INLINE void begin_rows(RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      rows.max[m][half] = minus_infinity();
      rows.sum[m][half] = 0;
    }
  }
}

// Products of Q and K times `factor` are logarithms to base 2 of unnormalized P.
INLINE float log2_factor(const AttentionArgs& args) {
  return !HAS_SCORE && args.scale > 0 ? args.scale * log2_e() : log2_e();
}

// Scale and score function. Without a score function the scale is left to log2_factor(), where it costs nothing; only
// a scale that is not positive cannot wait until after the maximum.
INLINE void finish_scores(Scores& s, float scale) {
  if (HAS_SCORE || !(scale > 0)) {
#pragma unroll
    for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          s[m][n][e] = score(s[m][n][e] * scale);
        }
      }
    }
  }
}

// Hides what the rows do not see and keys at or past the end, whatever their scores are.
INLINE void mask_scores(Scores& s, const AttentionArgs& args, int first_row, const WarpPlace& place, int first_key) {
  const int shift = (int)args.len_kv - (int)args.len_q;
  const int key = first_key + place.first_key + place.column(0);
  const int keys_left = (int)args.len_kv - key;
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int distance = query_of(first_row + place.row(m, half)) + shift - key;
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int column = n * 8 + e;
          const Position at{distance - column, key + column};
          const bool seen = both(column < keys_left, visible(args, at));
          s[m][n][2 * half + e] = seen ? s[m][n][2 * half + e] : minus_infinity();
        }
      }
    }
  }
  __syncwarp();  // the compiler may have branched; matrix instructions follow
}

// The largest scores of the rows, `rows` and these.
INLINE void row_maxima(RowValues& maxima, const Scores& s, const RowStatistics& rows) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float largest = rows.max[m][half];
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
        largest = fmaxf(largest, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
      }
      maxima[m][half] = quad_max(largest);
    }
  }
}

// S to P, and the statistics brought up to `maxima`. O follows by rescale_output(): it may be in use by products still.
INLINE void weights_for_maxima(Scores& s, RowStatistics& rows, RowValues& rescale, const RowValues& maxima,
                               float factor) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float largest = maxima[m][half];
      // A row that has seen nothing yet: with 0 instead of its maximum every exponent below is -inf, not NaN.
      const float origin = largest == minus_infinity() ? 0 : largest * factor;
      // Exactly 0, and so exactly 1, where the maximum stays. The rounding error a fused multiply-add would leave may
      // give 2 ulp more in every step.
      rescale[m][half] = exp2_approx(__fmul_rn(rows.max[m][half], factor) - origin);
      rows.max[m][half] = largest;

      float sum = rows.sum[m][half] * rescale[m][half];
#pragma unroll
      for (int n = 0; n < SCORE_BLOCKS; ++n) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const float p = exp2_approx(fmaf(s[m][n][2 * half + e], factor, -origin));
          s[m][n][2 * half + e] = p;
          sum += p;
        }
      }
      rows.sum[m][half] = sum;
    }
  }
}

INLINE void online_softmax(Scores& s, RowStatistics& rows, RowValues& rescale, float factor) {
  RowValues maxima;
  row_maxima(maxima, s, rows);
  weights_for_maxima(s, rows, rescale, maxima, factor);
}

INLINE void rescale_output(Output& o, const RowValues& rescale) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int n = 0; n < OUT_BLOCKS; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        o[m][n][e] *= rescale[m][e / 2];
      }
    }
  }
}

// Sums over the lanes of a quad, and maxima from now on in base 2.
INLINE void reduce_sums(RowStatistics& rows, float factor) {
#pragma unroll
  for (int m = 0; m < ROW_BLOCKS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      rows.sum[m][half] = quad_sum(rows.sum[m][half]);
      rows.max[m][half] *= factor;
    }
  }
}
