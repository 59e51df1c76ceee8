// The naive low-precision twin (DESIGN section 4): what a plain, unblocked implementation in the problem's dtypes
// would return. Its distance from the exact answer sets the error bound.
#pragma once

#include <span>
#include <vector>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/row.h"
#include "runtime/tensor.h"

namespace attentune {

struct NaiveRows {
  std::vector<float> out;  // [rows, head_dim_v], rounded to the problem's output dtype
  std::vector<float> lse;  // f32
};

// S in f32, p = exp(S - rowmax) rounded to P's dtype (e4m3 after * 256), l summed from unrounded p, O = sum p V / l.
// Products of fp8 operands accumulate with about 14 bits, as Hopper's matrix unit does.
[[nodiscard]] NaiveRows naive_attention(const Problem& problem, const AttentionTensors& tensors,
                                        std::span<const Row> rows, Executor& executor);

// The dtype P is rounded to: V's, unless V is fp8 and Q is not (then V is widened to Q's dtype before the product).
[[nodiscard]] Dtype dtype_of_p(const Problem& problem) noexcept;

}  // namespace attentune
