// Approximate instructions, by assembly: exp2f() and its like would cost several times as many without -use_fast_math.

// ex2.approx.ftz: at most 2 ulp; -inf gives 0 (PTX ISA 9.7.3.21).
INLINE float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// lg2.approx.ftz: absolute error 2^-22 near 1, relative 2^-22 elsewhere (PTX ISA 9.7.3.20).
INLINE float log2_approx(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// rcp.approx.ftz: at most 1 ulp (PTX ISA 9.7.3.13).
INLINE float reciprocal_approx(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

INLINE float minus_infinity() { return __int_as_float(0xff800000); }
INLINE float log2_e() { return 1.4426950408889634f; }
INLINE float ln_2() { return 0.6931471805599453f; }

// Two floats rounded to the 16-bit type of the tensors; the first source of the instruction is the high half.
INLINE u32 pack_16bit(float low, float high) {
  u32 packed;
  if constexpr (IS_BF16) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  }
  return packed;
}
