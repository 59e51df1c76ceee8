// The error bound (DESIGN section 4). There is no looser one anywhere.
//
//   max |O - exact|  <= 2 max |naive - exact| + ulp_out(max |exact|) + tiny
//   RMSE             <= 1.5 RMSE_naive + tiny              tiny = 2^-22 (1 + max |S|) max |V|
//   |LSE - exact|    <= 1e-5 + 2^-20 (1 + max |S|)         fp8: the measured constants of the table
//
// over all rows given and per block of at least 4096 outputs; every max is over the region that is checked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "generator/problem.h"
#include "runtime/reference/naive.h"
#include "runtime/reference/reference.h"
#include "runtime/reference/row.h"
#include "runtime/tensor.h"

namespace attentune {

struct ErrorBound {
  double max_factor = 2;
  double rmse_factor = 1.5;
  double tiny = 0x1p-22;
  double lse_absolute = 1e-5;
  double lse_relative = 0x1p-20;
  std::int64_t block_outputs = 4096;
};
// The constants for a problem, from the one table.
[[nodiscard]] const ErrorBound& error_bound(const Problem& problem) noexcept;

// Distance between neighbouring values of the dtype at |magnitude| (the subnormal step near 0).
[[nodiscard]] double ulp(Dtype dtype, double magnitude) noexcept;

enum class BoundCheck : std::uint8_t { max_error, rmse, lse };
[[nodiscard]] std::string_view name(BoundCheck check) noexcept;

// How a result compares. The worst place is the check with the largest error/allowed.
struct Comparison {
  bool passed = true;
  double worst_ratio = 0;  // > 1 fails; infinity when a value is not finite but should be
  BoundCheck check = BoundCheck::max_error;
  Row row;                   // of the largest error in the region of the worst check
  std::int64_t column = -1;  // -1 for LSE
  double value = 0;          // what the kernel wrote there
  double exact = 0;          // what it should be
  double error = 0;          // |O - exact|, the RMSE or |LSE - exact|
  double allowed = 0;
  double max_error = 0;  // over all rows, for reports
  double rmse = 0;

  // "max error 0.31 is 7.8 times the bound 0.04 at batch 0 query 17 head 3 column 5 (0.12 instead of 0.43)"
  [[nodiscard]] std::string sentence() const;
};

// Compares `out` (and, when problem.lse, `lse`) of `result` on the given rows. Where the exact value is not finite (NaN
// or infinite inputs) the result must not be finite either, and the place is left out of every maximum.
[[nodiscard]] Comparison compare(const Problem& problem, const AttentionTensors& result, std::span<const Row> rows,
                                 const ExactRows& exact, const NaiveRows& naive);

}  // namespace attentune
