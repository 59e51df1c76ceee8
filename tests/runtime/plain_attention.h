// The plainest attention there is, in f64, with places to break it: a second opinion on the reference, and the kernels
// that the error bound must reject.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "generator/expression.h"
#include "generator/problem.h"
#include "runtime/reference/row_groups.h"
#include "runtime/tensor.h"

namespace attentune::test {

struct Defect {
  // What the mask shows; the problem's own when empty.
  std::function<bool(std::int64_t i, std::int64_t j)> visible{};
  // Which KV head a query head reads.
  std::function<std::int64_t(std::int64_t head)> kv_head{};
  double factor = 1;  // on the output
};

// Writes out and lse of every row.
inline void plain_attention(const Problem& p, const AttentionTensors& t, const Defect& defect = {}) {
  const auto at = [](const TensorView& view, std::int64_t b, std::int64_t row, std::int64_t head, std::int64_t c) {
    return static_cast<double>(load_element(view.data, row_offset(view, b, row, head) + c, view.dtype));
  };
  for (const Row& row : all_rows(p)) {
    const std::int64_t kv = defect.kv_head ? defect.kv_head(row.head) : row.head / p.group();
    std::vector<double> scores;
    std::vector<std::int64_t> keys;
    double largest =
        p.sink_logit ? static_cast<double>(t.sink_logit[row.head]) : -std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < p.len_kv; ++j) {
      if (defect.visible ? !defect.visible(row.query, j) : !visible(p.mask, row.query, j, p.shift()))
        continue;
      double dot = 0;
      for (std::int64_t c = 0; c < p.head_dim_qk; ++c) {
        dot += at(t.q, row.batch, row.query, row.head, c) * at(t.k, row.batch, j, kv, c);
      }
      keys.push_back(j);
      scores.push_back(apply(p.score, p.effective_scale() * dot));
      largest = std::max(largest, scores.back());
    }
    double sum = p.sink_logit ? std::exp(static_cast<double>(t.sink_logit[row.head]) - largest) : 0;
    for (double& score : scores)
      sum += score = std::exp(score - largest);
    for (std::int64_t c = 0; c < p.head_dim_v; ++c) {
      double out = 0;
      for (std::size_t n = 0; n < keys.size(); ++n)
        out += scores[n] / sum * at(t.v, row.batch, keys[n], kv, c);
      store_element(t.out.data, row_offset(t.out, row.batch, row.query, row.head) + c, t.out.dtype,
                    static_cast<float>(out * defect.factor));
    }
    if (t.lse.data == nullptr)
      continue;
    t.lse.data[row.batch * t.lse.stride[0] + row.head * t.lse.stride[1] + row.query * t.lse.stride[2]] =
        static_cast<float>(sum > 0 ? largest + std::log(sum) : -std::numeric_limits<double>::infinity());
  }
}

}  // namespace attentune::test
