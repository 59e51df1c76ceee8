// Accumulation as Hopper's matrix unit does it for fp8 operands: about 14 bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace attentune {

// sum + the products a[k] * b[k * step], k in [0, count), count <= 32 (one wgmma step of fp8 operands). Every addend is
// aligned to the largest exponent among them and cut to 13 bits behind its leading one, then added exactly; the result
// is cut the same way (DeepSeek-V3 report, arXiv:2412.19437, section 3.5.2: "around 14 bits").
inline float hopper_step(float sum, const float* a, const float* b, std::int64_t step, std::int64_t count) noexcept {
  constexpr int kept_bits = 13;
  float largest = std::fabs(sum);
  for (std::int64_t k = 0; k < count; ++k)
    largest = std::max(largest, std::fabs(a[k] * b[k * step]));
  if (!(largest > 0) || !std::isfinite(largest)) {
    for (std::int64_t k = 0; k < count; ++k)
      sum += a[k] * b[k * step];
    return sum;
  }
  const float unit = std::ldexp(1.0F, std::ilogb(largest) - kept_bits);
  float total = std::trunc(sum / unit);
  for (std::int64_t k = 0; k < count; ++k)
    total += std::trunc(a[k] * b[k * step] / unit);
  if (total == 0)
    return 0;
  const float again = std::ldexp(1.0F, std::max(0, std::ilogb(total) - kept_bits));
  return std::trunc(total / again) * again * unit;
}

// A whole dot product in steps of 32.
inline float hopper_dot(float sum, const float* a, const float* b, std::int64_t step, std::int64_t count) noexcept {
  for (std::int64_t k = 0; k < count; k += 32) {
    sum = hopper_step(sum, a + k, b + k * step, step, std::min<std::int64_t>(32, count - k));
  }
  return sum;
}

}  // namespace attentune
