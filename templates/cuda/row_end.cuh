// What is left to do for a row after its last key: O is multiplied by `factor`; lse is the natural logarithm of the
// softmax's denominator.
struct RowEnd {
  float factor;
  float lse;
};

// An instruction of its own for each row, whatever the compiler knows of heads: traffic is what the generator predicts.
INLINE float load_sink_logit(const AttentionArgs& args, int head) {
  float sink;
  asm volatile("ld.global.f32 %0, [%1];" : "=f"(sink) : "l"(__cvta_generic_to_global(args.sink_logit + head)));
  return sink;
}

// `max` in base 2. A row without a visible key has sum 0; then the sink, where there is one, is the whole denominator.
INLINE RowEnd finish_row(const AttentionArgs& args, float max, float sum, int head) {
  float empty = minus_infinity();
  float factor = 1;
  bool sink_is_largest = false;
  const bool seen = sum != 0;  // true for NaN: it reaches the output
  if constexpr (HAS_SINK_LOGIT) {
    empty = load_sink_logit(args, head);
    const float sink = empty * log2_e();
    const float largest = fmaxf(max, sink);
    factor = exp2_approx(max - largest);
    sum = sum * factor + exp2_approx(sink - largest);
    max = largest;
    sink_is_largest = largest == sink;
  }
  if (!seen) {
    return {0, empty};
  }
  float lse = (max + log2_approx(sum)) * ln_2();
  if (sink_is_largest) {  // a large logit is not to be rounded on its way to base 2 and back
    lse = empty + log2_approx(sum) * ln_2();
  }
  return {factor * reciprocal_approx(sum), lse};
}

INLINE void store_lse(const AttentionArgs& args, const WorkItem& item, int packed_row, float lse) {
  args.lse[item.batch * args.lse_stride[0] + (item.first_head + head_of(packed_row)) * args.lse_stride[1] +
           query_of(packed_row) * args.lse_stride[2]] = lse;
}
