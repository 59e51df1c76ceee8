// The exact answer: attention in f64, written from DESIGN section 4 and from nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/row.h"
#include "runtime/tensor.h"

namespace attentune {

// What the exact answer says of a list of rows. Entry r of each vector belongs to row r.
struct ExactRows {
  std::vector<double> out;                 // [rows, head_dim_v]
  std::vector<double> lse;                 // ln of the denominator; -inf where nothing joins it
  std::vector<double> max_abs_score;       // max |S| over visible keys, S = scale Q K^T; 0 if none
  std::vector<double> max_abs_value;       // max |V| over visible keys; 0 if none
  std::vector<std::int64_t> visible_keys;  // how many keys the mask shows
};

// Reads q, k, v and sink_logit of `tensors`, any strides. Dense layout. Costs about 2 (d_qk + d_v) flop a visible key
// and one mask evaluation a key; memory of a few MB a worker. The result does not depend on the executor.
[[nodiscard]] ExactRows exact_attention(const Problem& problem, const AttentionTensors& tensors,
                                        std::span<const Row> rows, Executor& executor);

}  // namespace attentune
