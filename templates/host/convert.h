/* Loads to and stores from f32 of every host dtype. Only integer arithmetic or conversion instructions the Arch has:
 * an fpext that LLVM would lower to a library call never reaches it. */
#ifndef ATTENTUNE_HOST_CONVERT_H
#define ATTENTUNE_HOST_CONVERT_H

#include "templates/host/constants.h"
#include "templates/host/vector.h"

INLINE int64_t dtype_bytes(int dtype) { return dtype == DTYPE_F32 ? 4 : 2; }

INLINE vec bf16_to_f32(u16vec h) { return (vec)(__builtin_convertvector(h, uvec) << 16); }

/* Round to nearest even by carry: adding 0x7fff plus the lowest kept bit. NaN keeps its top bits and turns quiet, as a
 * carry out of its payload would make it an infinity. */
INLINE u16vec f32_to_bf16(vec x) {
  const uvec u = (uvec)x;
  const uvec rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const uvec nan = (u >> 16) | 0x40u;
  return __builtin_convertvector(select_bits(x != x, nan, rounded), u16vec);
}

/* F. Giesen, "half_to_float_fast5": shift into place, rebias; Inf/NaN gets the rest of the exponent, a subnormal is
 * renormalized by one exact subtraction. */
INLINE vec f16_to_f32(u16vec h) {
  if (NATIVE_F16) {
    return __builtin_convertvector((f16vec)h, vec);
  }
  const uvec wide = __builtin_convertvector(h, uvec);
  const uvec shifted = (wide & 0x7fffu) << 13;
  const uvec exponent = shifted & (0x7c00u << 13);
  const uvec normal = shifted + ((127u - 15u) << 23);
  const uvec special = normal + ((128u - 16u) << 23);
  const uvec subnormal = (uvec)((vec)(normal + (1u << 23)) - (vec)splat_bits(113u << 23));
  uvec result = select_bits(exponent == (0x7c00u << 13), special, normal);
  result = select_bits(exponent == 0u, subnormal, result);
  return (vec)(result | ((wide & 0x8000u) << 16));
}

/* F. Giesen, "float_to_half_fast3_rtne": a subnormal result is rounded by the FPU when 0.5 is added, a normal one by
 * carry; what is too large becomes infinity. */
INLINE u16vec f32_to_f16(vec x) {
  if (NATIVE_F16) {
    return (u16vec) __builtin_convertvector(x, f16vec);
  }
  const uvec bits = (uvec)x;
  const uvec sign = bits & 0x80000000u;
  const uvec u = bits ^ sign;
  const uvec infinity = splat_bits(255u << 23);
  const uvec magic = splat_bits((127u - 15u + 23u - 10u + 1u) << 23);
  const uvec special = select_bits(u > infinity, splat_bits(0x7e00u) | ((u >> 13) & 0x3ffu), splat_bits(0x7c00u));
  const uvec subnormal = (uvec)((vec)u + (vec)magic) - magic;
  const uvec normal = (u + (((uint32_t)(15 - 127) << 23) + 0xfffu) + ((u >> 13) & 1u)) >> 13;
  uvec result = select_bits(u < splat_bits(113u << 23), subnormal, normal);
  result = select_bits(u >= splat_bits((127u + 16u) << 23), special, result);
  return __builtin_convertvector(result | (sign >> 16), u16vec);
}

/* Rounds as above, but a subnormal becomes zero: good enough for P, which is at most 1, one instruction where hardware
 * has it. */
INLINE u16vec probability_to_bf16(vec x) {
  return NATIVE_BF16 ? (u16vec) __builtin_convertvector(x, bf16vec) : f32_to_bf16(x);
}

/* 16 elements from any address. */
INLINE vec load_elements(int dtype, const char* p) {
  if (dtype == DTYPE_F32) {
    return *(const vec_memory*)p;
  }
  const u16vec h = *(const u16vec_memory*)p;
  return dtype == DTYPE_F16 ? f16_to_f32(h) : bf16_to_f32(h);
}

/* count < 16 elements, the other lanes zero; memory past them is not touched. */
INLINE vec load_some(int dtype, const char* p, int count) {
  float padded[LANES] __attribute__((aligned(64))) = {0};
  __builtin_memcpy(padded, p, (uint64_t)(count * dtype_bytes(dtype)));
  return load_elements(dtype, (const char*)padded);
}

INLINE void store_elements(int dtype, char* p, vec x) {
  if (dtype == DTYPE_F32) {
    *(vec_memory*)p = x;
  } else {
    *(u16vec_memory*)p = dtype == DTYPE_F16 ? f32_to_f16(x) : f32_to_bf16(x);
  }
}

INLINE void store_some(int dtype, char* p, vec x, int count) {
  float padded[LANES] __attribute__((aligned(64)));
  store_elements(dtype, (char*)padded, x);
  __builtin_memcpy(p, padded, (uint64_t)(count * dtype_bytes(dtype)));
}

#endif
