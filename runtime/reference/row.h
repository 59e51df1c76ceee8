// Row: one query of one head of one batch entry; the unit in which the reference is asked and results are compared.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/problem.h"

namespace attentune {

struct Row {
  std::int64_t batch = 0;
  std::int64_t query = 0;
  std::int64_t head = 0;

  auto operator<=>(const Row&) const = default;
};

// Every row of the problem, by batch, then head, then query.
[[nodiscard]] std::vector<Row> all_rows(const Problem& problem);

}  // namespace attentune
