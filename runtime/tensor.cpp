#include "runtime/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace attentune {
namespace {

// A binary format of at most 16 bits, as integers describe it.
struct Format {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  bool has_infinity;         // e4m3 (OCP E4M3FN) has none: its top exponent holds numbers, all ones is NaN
  bool saturates;            // overflow becomes the largest finite value instead of infinity
  std::uint32_t max_finite;  // bits, without sign
  std::uint32_t infinity;    // bits, without sign
  std::uint32_t nan;         // bits of the quiet NaN written, without sign
};

// OCP 8-bit Floating Point Specification 1.0, table 1; IEEE 754 binary16; bfloat16 is the upper half of binary32.
constexpr Format f16_format{5, 10, 15, true, false, 0x7BFF, 0x7C00, 0x7E00};
constexpr Format bf16_format{8, 7, 127, true, false, 0x7F7F, 0x7F80, 0x7FC0};
constexpr Format e4m3_format{4, 3, 7, false, true, 0x7E, 0x7F, 0x7F};
constexpr Format e5m2_format{5, 2, 15, true, true, 0x7B, 0x7C, 0x7E};

constexpr std::uint32_t round_bits(float value, const Format& format) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 31) << (format.exponent_bits + format.mantissa_bits);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U)
    return sign | format.nan;
  const std::uint32_t overflow = format.saturates ? format.max_finite : format.infinity;
  if (magnitude == 0x7F800000U)
    return sign | overflow;

  const int exponent = static_cast<int>(magnitude >> 23) - 127;  // of a normal value; f32 subnormals follow below
  const int smallest = 1 - format.bias;                          // exponent of the smallest normal
  const std::uint32_t fraction = magnitude & 0x7FFFFFU;
  const bool normal_in = (magnitude >> 23) != 0;
  const std::uint64_t significand = normal_in ? (fraction | 0x800000U) : fraction;
  const int scale_exponent = normal_in ? exponent : -126;

  // Result = significand * 2^(scale_exponent - 23), to be written in steps of 2^(target - mantissa_bits).
  const int target = scale_exponent < smallest ? smallest : scale_exponent;
  const int drop = (23 - format.mantissa_bits) + (target - scale_exponent);
  if (drop > 40)
    return sign;
  const std::uint64_t half = drop > 0 ? std::uint64_t{1} << (drop - 1) : 0;
  const std::uint64_t rest = significand & ((std::uint64_t{1} << drop) - 1);
  std::uint64_t steps = significand >> drop;
  if (rest > half || (rest == half && drop > 0 && (steps & 1U) != 0))
    ++steps;

  // Adding steps to the exponent field lets a carry out of the mantissa raise the exponent, and a subnormal that
  // rounds up become the smallest normal.
  const std::uint64_t biased = static_cast<std::uint64_t>(target - smallest) << format.mantissa_bits;
  const std::uint64_t result = biased + steps;
  if (result > format.max_finite)
    return sign | overflow;
  return sign | static_cast<std::uint32_t>(result);
}

constexpr float widen_bits(std::uint32_t bits, const Format& format) noexcept {
  const int width = format.exponent_bits + format.mantissa_bits;
  const std::uint32_t sign = (bits >> width) << 31;
  const std::uint32_t magnitude = bits & ((1U << width) - 1);
  if (format.has_infinity && magnitude == format.infinity)
    return std::bit_cast<float>(sign | 0x7F800000U);
  if (magnitude > format.max_finite) {
    const std::uint32_t payload = magnitude << (23 - format.mantissa_bits) & 0x3FFFFFU;
    return std::bit_cast<float>(sign | 0x7FC00000U | payload);
  }
  const std::uint32_t field = magnitude >> format.mantissa_bits;
  const std::uint32_t mantissa = magnitude & ((1U << format.mantissa_bits) - 1);
  if (field != 0) {
    const auto exponent = static_cast<std::uint32_t>(static_cast<int>(field) - format.bias + 127);
    return std::bit_cast<float>(sign | exponent << 23 | mantissa << (23 - format.mantissa_bits));
  }
  if (mantissa == 0)
    return std::bit_cast<float>(sign);
  // A subnormal: shift its leading one up to the hidden position. bf16's subnormals are f32's.
  const int smallest = 1 - format.bias;
  if (smallest == -126)
    return std::bit_cast<float>(sign | mantissa << (23 - format.mantissa_bits));
  const int shift = std::countl_zero(mantissa) - (31 - format.mantissa_bits);
  const std::uint32_t fraction = (mantissa << shift) & ((1U << format.mantissa_bits) - 1);
  const auto exponent = static_cast<std::uint32_t>(smallest - shift + 127);
  return std::bit_cast<float>(sign | exponent << 23 | fraction << (23 - format.mantissa_bits));
}

const Format& format_of(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::f16:
      return f16_format;
    case Dtype::e4m3:
      return e4m3_format;
    case Dtype::e5m2:
      return e5m2_format;
    case Dtype::bf16:
    case Dtype::f32:
      break;
  }
  return bf16_format;
}

template <typename T>
T load_raw(const void* data, std::int64_t index) noexcept {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(data) + index * static_cast<std::int64_t>(sizeof(T)),
              sizeof(T));
  return value;
}

template <typename T>
void store_raw(void* data, std::int64_t index, T value) noexcept {
  std::memcpy(static_cast<unsigned char*>(data) + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
}

TensorView c_order(Dtype dtype, std::int64_t length, std::int64_t heads, std::int64_t dim) noexcept {
  return {.data = nullptr, .dtype = dtype, .stride = {length * heads * dim, heads * dim, dim}};
}

}  // namespace

AttentionTensors contiguous(const Problem& problem) {
  return {.q = c_order(problem.q, problem.len_q, problem.heads_q, problem.head_dim_qk),
          .k = c_order(problem.k, problem.len_kv, problem.heads_kv, problem.head_dim_qk),
          .v = c_order(problem.v, problem.len_kv, problem.heads_kv, problem.head_dim_v),
          .out = c_order(problem.out, problem.len_q, problem.heads_q, problem.head_dim_v),
          .lse = {.data = nullptr, .stride = {problem.heads_q * problem.len_q, problem.len_q, 1}},
          .sink_logit = nullptr};
}

std::int64_t elements_q(const Problem& problem) {
  return problem.batch * problem.len_q * problem.heads_q * problem.head_dim_qk;
}
std::int64_t elements_k(const Problem& problem) {
  return problem.batch * problem.len_kv * problem.heads_kv * problem.head_dim_qk;
}
std::int64_t elements_v(const Problem& problem) {
  return problem.batch * problem.len_kv * problem.heads_kv * problem.head_dim_v;
}
std::int64_t elements_out(const Problem& problem) {
  return problem.batch * problem.len_q * problem.heads_q * problem.head_dim_v;
}
std::int64_t elements_lse(const Problem& problem) { return problem.batch * problem.heads_q * problem.len_q; }

float load_element(const void* data, std::int64_t index, Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::f32:
      return load_raw<float>(data, index);
    case Dtype::f16:
      return widen_bits(load_raw<std::uint16_t>(data, index), f16_format);
    case Dtype::bf16:
      return std::bit_cast<float>(std::uint32_t{load_raw<std::uint16_t>(data, index)} << 16);
    case Dtype::e4m3:
    case Dtype::e5m2:
      break;
  }
  return widen_bits(load_raw<std::uint8_t>(data, index), format_of(dtype));
}

void store_element(void* data, std::int64_t index, Dtype dtype, float value) noexcept {
  if (dtype == Dtype::f32)
    return store_raw(data, index, value);
  if (dtype == Dtype::bf16) {  // the upper half of an f32, so a carry does all the work
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if (!std::isnan(value))
      return store_raw(data, index, static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16));
  }
  const std::uint32_t bits = round_bits(value, format_of(dtype));
  if (size_of(dtype) == 2)
    return store_raw(data, index, static_cast<std::uint16_t>(bits));
  store_raw(data, index, static_cast<std::uint8_t>(bits));
}

}  // namespace attentune
