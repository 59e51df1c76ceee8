// Tensors of one attention call: views over the caller's memory.
#pragma once

#include <array>
#include <cstdint>

#include "generator/dtype.h"
#include "generator/problem.h"

namespace attentune {

// [batch, len, heads, d], innermost contiguous; strides of batch, row (len) and head in elements.
struct TensorView {
  void* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::array<std::int64_t, 3> stride{};
};

// [batch, heads_q, len_q] of f32; strides of batch, head and row in elements. data may be null: not wanted.
struct LseView {
  float* data = nullptr;
  std::array<std::int64_t, 3> stride{};
};

// The operands of one call. K, V and Q are only read.
struct AttentionTensors {
  TensorView q, k, v, out;
  LseView lse;
  const float* sink_logit = nullptr;  // [heads_q], iff the Problem says sink_logit=yes
};

// Strides of C order for the problem's four tensors and LSE; pointers null, dtypes set.
[[nodiscard]] AttentionTensors contiguous(const Problem& problem);

// Elements spanned by a C-ordered operand: "q", "k", "v" and "out" of the problem; heads_q * len_q * batch for LSE.
[[nodiscard]] std::int64_t elements_q(const Problem& problem);
[[nodiscard]] std::int64_t elements_k(const Problem& problem);
[[nodiscard]] std::int64_t elements_v(const Problem& problem);
[[nodiscard]] std::int64_t elements_out(const Problem& problem);
[[nodiscard]] std::int64_t elements_lse(const Problem& problem);

// One element to float and back (round to nearest even, saturating for fp8, NaN kept).
[[nodiscard]] float load_element(const void* data, std::int64_t index, Dtype dtype) noexcept;
void store_element(void* data, std::int64_t index, Dtype dtype, float value) noexcept;

}  // namespace attentune
