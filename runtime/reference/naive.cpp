#include "runtime/reference/naive.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "generator/expression.h"
#include "runtime/reference/hopper_sum.h"
#include "runtime/reference/row_groups.h"

namespace attentune {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

float rounded(float value, Dtype dtype) noexcept {
  if (dtype == Dtype::f32)
    return value;
  std::uint16_t room = 0;
  store_element(&room, 0, dtype, value);
  return load_element(&room, 0, dtype);
}

// One row at a time over scores of a group, every step in f32 and in order.
class NaiveGroup {
 public:
  NaiveGroup(const Problem& problem, const AttentionTensors& tensors, std::span<const Row> rows, const RowGroup& group,
             NaiveRows& result)
      : problem_(problem),
        tensors_(tensors),
        rows_(rows),
        group_(group),
        result_(result),
        seen_(visibility_of(problem, rows, group)),
        scores_(seen_.visible.size()),
        sums_(group.members.size()) {}

  void run() {
    score_keys();
    for (std::size_t m = 0; m < group_.members.size(); ++m)
      exponentiate(m);
    sum_values();
  }

 private:
  [[nodiscard]] std::size_t len_kv() const noexcept { return static_cast<std::size_t>(problem_.len_kv); }

  void score_keys() {
    const auto dim = static_cast<std::size_t>(problem_.head_dim_qk);
    const bool low_accumulation = is_fp8(problem_.q) && is_fp8(problem_.k);
    const auto scale = static_cast<float>(problem_.effective_scale());
    std::vector<float> queries(group_.members.size() * dim);
    for (std::size_t m = 0; m < group_.members.size(); ++m) {
      const Row& row = rows_[group_.members[m]];
      load_row(tensors_.q, row.batch, row.query, row.head, problem_.head_dim_qk, &queries[m * dim]);
    }
    std::vector<float> keys(dim * key_block);
    float dots[key_block];
    for (std::size_t block = 0; block < seen_.blocks.size(); ++block) {
      if (seen_.blocks[block] == 0)
        continue;
      const std::int64_t first = static_cast<std::int64_t>(block) * key_block;
      const std::int64_t count = std::min(key_block, problem_.len_kv - first);
      load_keys_transposed(tensors_.k, group_.batch, group_.head_kv, first, count, problem_.head_dim_qk, keys.data());
      for (std::size_t m = 0; m < group_.members.size(); ++m) {
        if (low_accumulation) {
          for (std::int64_t j = 0; j < count; ++j) {
            dots[j] =
                hopper_dot(0, &queries[m * dim], &keys[static_cast<std::size_t>(j)], key_block, problem_.head_dim_qk);
          }
        } else {
          dot_block(&queries[m * dim], keys.data(), problem_.head_dim_qk, dots);
        }
        float* const scores = &scores_[m * len_kv() + static_cast<std::size_t>(first)];
        for (std::int64_t j = 0; j < count; ++j) {
          scores[j] = static_cast<float>(apply(problem_.score, static_cast<double>(scale * dots[j])));
        }
      }
    }
  }

  // scores become p rounded to P's dtype; the row's sum is of unrounded p and of the sink.
  void exponentiate(std::size_t m) {
    const std::size_t at = group_.members[m];
    const float sink = problem_.sink_logit ? tensors_.sink_logit[rows_[at].head] : -infinity;
    if (seen_.count[m] == 0) {
      result_.lse[at] = sink;
      return;
    }
    const Dtype dtype = dtype_of_p(problem_);
    const float boost = dtype == Dtype::e4m3 ? 256.0F : 1.0F;
    const std::uint8_t* const shown = &seen_.visible[m * len_kv()];
    float* const scores = &scores_[m * len_kv()];
    float largest = -infinity;
    for (std::size_t j = 0; j < len_kv(); ++j) {
      if (shown[j] != 0 && !(scores[j] <= largest))
        largest = scores[j];
    }
    float sum = problem_.sink_logit ? std::exp(sink - largest) : 0.0F;
    for (std::size_t j = 0; j < len_kv(); ++j) {
      if (shown[j] == 0)
        continue;
      const float p = std::exp(scores[j] - largest);
      sum += p;
      scores[j] = rounded(p * boost, dtype);
    }
    sums_[m] = sum * boost;
    // A sink far above every score overflows the sum; the logarithm is then the sink's own.
    result_.lse[at] = std::isinf(sum) ? sink : largest + std::log(sum);
  }

  void sum_values() {
    const auto dim = static_cast<std::size_t>(problem_.head_dim_v);
    const bool low_accumulation = is_fp8(dtype_of_p(problem_)) && is_fp8(problem_.v);
    std::vector<float> values(dim * key_block);
    for (std::size_t block = 0; block < seen_.blocks.size(); ++block) {
      if (seen_.blocks[block] == 0)
        continue;
      const std::int64_t first = static_cast<std::int64_t>(block) * key_block;
      const std::int64_t count = std::min(key_block, problem_.len_kv - first);
      for (std::int64_t j = 0; j < count; ++j) {
        load_row(tensors_.v, group_.batch, first + j, group_.head_kv, problem_.head_dim_v,
                 &values[static_cast<std::size_t>(j) * dim]);
      }
      for (std::size_t m = 0; m < group_.members.size(); ++m) {
        add_block(m, first, count, low_accumulation, values.data());
      }
    }
    for (std::size_t m = 0; m < group_.members.size(); ++m) {
      float* const out = &result_.out[group_.members[m] * dim];
      for (std::size_t c = 0; c < dim; ++c) {
        out[c] = seen_.count[m] == 0 ? 0.0F : rounded(out[c] / sums_[m], problem_.out);
      }
    }
  }

  void add_block(std::size_t m, std::int64_t first, std::int64_t count, bool low_accumulation, const float* values) {
    const std::int64_t dim = problem_.head_dim_v;
    const std::size_t base = m * len_kv() + static_cast<std::size_t>(first);
    float* const out = &result_.out[group_.members[m] * static_cast<std::size_t>(dim)];
    if (low_accumulation) {
      float weights[key_block];
      for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) {
        weights[j] = seen_.visible[base + j] != 0 ? scores_[base + j] : 0.0F;
      }
      for (std::int64_t c = 0; c < dim; ++c)
        out[c] = hopper_dot(out[c], weights, values + c, dim, count);
      return;
    }
    for (std::int64_t j = 0; j < count; ++j) {
      if (seen_.visible[base + static_cast<std::size_t>(j)] == 0)
        continue;
      const float weight = scores_[base + static_cast<std::size_t>(j)];
      const float* const value = values + j * dim;
      for (std::int64_t c = 0; c < dim; ++c)
        out[c] += weight * value[c];
    }
  }

  const Problem& problem_;
  const AttentionTensors& tensors_;
  std::span<const Row> rows_;
  const RowGroup& group_;
  NaiveRows& result_;
  const GroupVisibility seen_;
  std::vector<float> scores_;  // [members, len_kv]
  std::vector<float> sums_;    // l, times P's boost
};

}  // namespace

Dtype dtype_of_p(const Problem& problem) noexcept {
  return is_fp8(problem.v) && !is_fp8(problem.q) ? problem.q : problem.v;
}

NaiveRows naive_attention(const Problem& problem, const AttentionTensors& tensors, std::span<const Row> rows,
                          Executor& executor) {
  NaiveRows result{.out = std::vector<float>(rows.size() * static_cast<std::size_t>(problem.head_dim_v)),
                   .lse = std::vector<float>(rows.size())};
  for_each_group(group_rows(problem, rows), executor,
                 [&](const RowGroup& group) { NaiveGroup(problem, tensors, rows, group, result).run(); });
  return result;
}

}  // namespace attentune
