// What a caller's tensors must satisfy before a Kernel may touch them. Everything here throws RefusalError.
#pragma once

#include "generator/problem.h"
#include "runtime/tensor.h"

namespace attentune {

// Pointers, dtypes, alignment, strides and extents of every operand, and that LSE and sink_logit are there iff asked
// for.
void check_tensors(const Problem& problem, const AttentionTensors& tensors);

}  // namespace attentune
