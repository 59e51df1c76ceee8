// What a caller's tensors must satisfy before a Kernel may touch them. Everything here throws RefusalError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "generator/problem.h"
#include "runtime/tensor.h"

namespace attentune {

// The bytes from the first an operand may touch to the last, gaps between its rows included.
struct OperandExtent {
  std::string_view name;  // "q", "k", "v", "out", "lse", "sink_logit"
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  bool written = false;
};

// Pointers, dtypes, alignment, strides and extents of every operand, and that LSE and sink_logit are there iff asked
// for. Returns the extents of those that hold anything.
std::vector<OperandExtent> check_tensors(const Problem& problem, const AttentionTensors& tensors);

}  // namespace attentune
