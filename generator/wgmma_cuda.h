// The text of wgmma instructions: their operands are every accumulator by name, so each shape is a text of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generator/dtype.h"

namespace attentune {

// wgmma.mma_async m64nNk16 on 16-bit operands with f32 accumulators (PTX ISA 9.7.15.5.2).
struct WgmmaForm {
  enum class A : std::uint8_t { shared, registers };
  std::string_view name;     // of the function
  std::int64_t columns = 0;  // N: a multiple of 8 to 256
  Dtype dtype = Dtype::bf16;
  A a = A::shared;
  bool b_by_rows = false;  // B lies in rows of N columns (MN-major), else in rows of what is summed over (K-major)
};

// template <int ACCUMULATE> INLINE void name(float (&d)[N / 8][4], a, u64 b): D = A B, plus D with ACCUMULATE. `a` is a
// descriptor (u64), or the fragment const u32 (&a)[4].
[[nodiscard]] std::string wgmma_cuda(const WgmmaForm& form);

}  // namespace attentune
