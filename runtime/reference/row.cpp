#include "runtime/reference/row.h"

namespace attentune {

std::vector<Row> all_rows(const Problem& problem) {
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(problem.batch * problem.heads_q * problem.len_q));
  for (std::int64_t batch = 0; batch < problem.batch; ++batch) {
    for (std::int64_t head = 0; head < problem.heads_q; ++head) {
      for (std::int64_t query = 0; query < problem.len_q; ++query) {
        rows.push_back({.batch = batch, .query = query, .head = head});
      }
    }
  }
  return rows;
}

}  // namespace attentune
