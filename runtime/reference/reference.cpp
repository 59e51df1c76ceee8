#include "runtime/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "generator/expression.h"
#include "runtime/reference/row_groups.h"

namespace attentune {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class ExactGroup {
 public:
  ExactGroup(const Problem& problem, const AttentionTensors& tensors, std::span<const Row> rows, const RowGroup& group,
             ExactRows& result)
      : problem_(problem),
        tensors_(tensors),
        rows_(rows),
        group_(group),
        result_(result),
        seen_(visibility_of(problem, rows, group)),
        scores_(seen_.visible.size()) {}

  void run() {
    score_keys();
    normalize();
    sum_values();
  }

 private:
  [[nodiscard]] std::size_t members() const noexcept { return group_.members.size(); }
  [[nodiscard]] std::size_t len_kv() const noexcept { return static_cast<std::size_t>(problem_.len_kv); }

  // What the score expression makes of S = scale * Q K^T, for every visible key.
  void score_keys() {
    const auto dim = static_cast<std::size_t>(problem_.head_dim_qk);
    std::vector<double> queries(members() * dim);
    for (std::size_t m = 0; m < members(); ++m) {
      const Row& row = rows_[group_.members[m]];
      load_row(tensors_.q, row.batch, row.query, row.head, problem_.head_dim_qk, &queries[m * dim]);
    }
    const double scale = problem_.effective_scale();
    std::vector<double> keys(dim * key_block);
    double dots[key_block];
    for_each_seen_block([&](std::int64_t first, std::int64_t count) {
      load_keys_transposed(tensors_.k, group_.batch, group_.head_kv, first, count, problem_.head_dim_qk, keys.data());
      for (std::size_t m = 0; m < members(); ++m) {
        dot_block(&queries[m * dim], keys.data(), problem_.head_dim_qk, dots);
        const std::size_t base = m * len_kv() + static_cast<std::size_t>(first);
        double magnitude = result_.max_abs_score[group_.members[m]];
        for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) {
          if (seen_.visible[base + j] == 0)
            continue;
          const double scaled = scale * dots[j];
          scores_[base + j] = apply(problem_.score, scaled);
          magnitude = std::max(magnitude, std::fabs(scaled));
        }
        result_.max_abs_score[group_.members[m]] = magnitude;
      }
    });
  }

  // Scores become probabilities; LSE and the maxima are recorded.
  void normalize() {
    for (std::size_t m = 0; m < members(); ++m) {
      const std::size_t at = group_.members[m];
      const bool has_sink = problem_.sink_logit;
      const double sink = has_sink ? tensors_.sink_logit[rows_[at].head] : -infinity;
      result_.visible_keys[at] = seen_.count[m];
      if (seen_.count[m] == 0) {  // the sink, where there is one, is the whole denominator
        result_.lse[at] = sink;
        continue;
      }
      const std::size_t base = m * len_kv();
      double largest = sink;
      for (std::size_t j = base; j < base + len_kv(); ++j) {
        if (seen_.visible[j] == 0)
          continue;
        if (!(scores_[j] <= largest))
          largest = scores_[j];
      }
      double denominator = has_sink ? std::exp(sink - largest) : 0.0;
      for (std::size_t j = base; j < base + len_kv(); ++j) {
        if (seen_.visible[j] == 0)
          continue;
        scores_[j] = std::exp(scores_[j] - largest);
        denominator += scores_[j];
      }
      for (std::size_t j = base; j < base + len_kv(); ++j)
        scores_[j] /= denominator;
      result_.lse[at] = largest + std::log(denominator);
    }
  }

  // O = P V.
  void sum_values() {
    const auto dim = static_cast<std::size_t>(problem_.head_dim_v);
    std::vector<double> values(dim);
    for_each_seen_block([&](std::int64_t first, std::int64_t count) {
      for (std::int64_t j = first; j < first + count; ++j) {
        load_row(tensors_.v, group_.batch, j, group_.head_kv, problem_.head_dim_v, values.data());
        double magnitude = 0;
        for (const double value : values)
          magnitude = std::max(magnitude, std::fabs(value));
        for (std::size_t m = 0; m < members(); ++m) {
          const std::size_t score = m * len_kv() + static_cast<std::size_t>(j);
          if (seen_.visible[score] == 0)
            continue;
          const std::size_t at = group_.members[m];
          const double weight = scores_[score];
          double* const out = &result_.out[at * dim];
          for (std::size_t c = 0; c < dim; ++c)
            out[c] += weight * values[c];
          result_.max_abs_value[at] = std::max(result_.max_abs_value[at], magnitude);
        }
      }
    });
  }

  template <typename Body>
  void for_each_seen_block(const Body& body) const {
    for (std::size_t block = 0; block < seen_.blocks.size(); ++block) {
      if (seen_.blocks[block] == 0)
        continue;
      const std::int64_t first = static_cast<std::int64_t>(block) * key_block;
      body(first, std::min(key_block, problem_.len_kv - first));
    }
  }

  const Problem& problem_;
  const AttentionTensors& tensors_;
  std::span<const Row> rows_;
  const RowGroup& group_;
  ExactRows& result_;
  const GroupVisibility seen_;
  std::vector<double> scores_;  // [members, len_kv]
};

}  // namespace

ExactRows exact_attention(const Problem& problem, const AttentionTensors& tensors, std::span<const Row> rows,
                          Executor& executor) {
  ExactRows result{.out = std::vector<double>(rows.size() * static_cast<std::size_t>(problem.head_dim_v)),
                   .lse = std::vector<double>(rows.size()),
                   .max_abs_score = std::vector<double>(rows.size()),
                   .max_abs_value = std::vector<double>(rows.size()),
                   .visible_keys = std::vector<std::int64_t>(rows.size())};
  for_each_group(group_rows(problem, rows), executor,
                 [&](const RowGroup& group) { ExactGroup(problem, tensors, rows, group, result).run(); });
  return result;
}

}  // namespace attentune
