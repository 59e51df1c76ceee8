// Causal f32 attention small enough to read, and inputs for it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

struct NaiveCase {
  std::int64_t len = 0;
  std::int64_t heads_q = 0;
  std::int64_t heads_kv = 0;
  std::int64_t dim = 0;
  std::vector<float> q, k, v, out;

  NaiveCase(const std::int64_t length, const std::int64_t query_heads, const std::int64_t kv_heads,
            const std::int64_t head_dim)
      : len(length),
        heads_q(query_heads),
        heads_kv(kv_heads),
        dim(head_dim),
        q(values(len * heads_q * dim, 0.37)),
        k(values(len * heads_kv * dim, 0.11)),
        v(values(len * heads_kv * dim, 0.73)),
        out(q.size(), std::numeric_limits<float>::quiet_NaN()) {}

  [[nodiscard]] std::string text() const {
    return "dtype=f32 heads=" + std::to_string(heads_q) + "/" + std::to_string(heads_kv) +
           " head_dim=" + std::to_string(dim) + " seq=" + std::to_string(len) + " mask=causal()";
  }

  // Largest distance of out from the definition; NaN counts as infinite.
  [[nodiscard]] double worst_error() const {
    double worst = 0;
    for (std::int64_t h = 0; h < heads_q; ++h) {
      for (std::int64_t i = 0; i < len; ++i) {
        std::vector<double> row(static_cast<std::size_t>(dim));
        double sum = 0;
        for (std::int64_t j = 0; j <= i; ++j) {
          double score = 0;
          for (std::int64_t c = 0; c < dim; ++c) {
            score += at(q, i, heads_q, h, c) * at(k, j, heads_kv, h * heads_kv / heads_q, c);
          }
          const double p = std::exp(score / std::sqrt(static_cast<double>(dim)));
          sum += p;
          for (std::int64_t c = 0; c < dim; ++c) {
            row[static_cast<std::size_t>(c)] += p * at(v, j, heads_kv, h * heads_kv / heads_q, c);
          }
        }
        for (std::int64_t c = 0; c < dim; ++c) {
          const double error = std::abs(at(out, i, heads_q, h, c) - row[static_cast<std::size_t>(c)] / sum);
          worst = error <= worst ? worst : std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
        }
      }
    }
    return worst;
  }

 private:
  static std::vector<float> values(const std::int64_t count, const double step) {
    std::vector<float> result(static_cast<std::size_t>(count));
    for (std::size_t n = 0; n < result.size(); ++n) {
      result[n] = static_cast<float>(std::sin(step * static_cast<double>(n)));
    }
    return result;
  }
  [[nodiscard]] double at(const std::vector<float>& tensor, const std::int64_t row, const std::int64_t heads,
                          const std::int64_t head, const std::int64_t c) const {
    return static_cast<double>(tensor[static_cast<std::size_t>((row * heads + head) * dim + c)]);
  }
};
