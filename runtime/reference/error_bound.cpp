#include "runtime/reference/error_bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace attentune {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// fp8's LSE constants are measured: the largest error of the naive twin, whose scores carry Hopper's 14-bit sums, is
// four fifths of them over the probe sets (tests/runtime/error_bound_test.cpp prints it).
constexpr ErrorBound wide_bound{};
constexpr ErrorBound fp8_bound{.lse_absolute = 2e-3, .lse_relative = 0x1p-11};

// What one region (a block, or everything) says; regions add up.
struct Region {
  double max_exact = 0;
  double max_error = 0;
  double max_naive = 0;
  double squares = 0;
  double naive_squares = 0;
  double outputs = 0;
  double max_score = 0;
  double max_value = 0;
  std::size_t worst_row = 0;
  std::int64_t worst_column = 0;
  double lse_error = 0;
  std::size_t lse_row = 0;

  void add(const Region& other) {
    if (other.max_error > max_error) {
      max_error = other.max_error;
      worst_row = other.worst_row;
      worst_column = other.worst_column;
    }
    if (other.lse_error > lse_error) {
      lse_error = other.lse_error;
      lse_row = other.lse_row;
    }
    max_exact = std::max(max_exact, other.max_exact);
    max_naive = std::max(max_naive, other.max_naive);
    squares += other.squares;
    naive_squares += other.naive_squares;
    outputs += other.outputs;
    max_score = std::max(max_score, other.max_score);
    max_value = std::max(max_value, other.max_value);
  }
};

double finite_or_zero(double value) noexcept { return std::isfinite(value) ? value : 0; }

// Distance where the exact value is finite; where it is not, the result must not be finite either.
double distance(double value, double exact) noexcept {
  if (std::isnan(exact))
    return std::isfinite(value) ? infinity : 0;
  if (std::isinf(exact))
    return value == exact ? 0 : infinity;
  return std::isfinite(value) ? std::fabs(value - exact) : infinity;
}

class Comparer {
 public:
  Comparer(const Problem& problem, const AttentionTensors& result, std::span<const Row> rows, const ExactRows& exact,
           const NaiveRows& naive)
      : problem_(problem), result_(result), rows_(rows), exact_(exact), naive_(naive), bound_(error_bound(problem)) {}

  Comparison run() {
    const std::size_t block = static_cast<std::size_t>((bound_.block_outputs + problem_.head_dim_v - 1) /
                                                       std::max<std::int64_t>(problem_.head_dim_v, 1));
    Region total;
    // A short rest joins the last block, so that no block has fewer outputs than the bound says.
    for (std::size_t first = 0; first < rows_.size();) {
      const std::size_t left = rows_.size() - first;
      const std::size_t count = left < 2 * block ? left : block;
      const Region region = region_of(first, count);
      judge(region);
      total.add(region);
      first += count;
    }
    judge(total);
    comparison_.max_error = total.max_error;
    comparison_.rmse = total.outputs > 0 ? std::sqrt(total.squares / total.outputs) : 0;
    comparison_.passed = comparison_.worst_ratio <= 1;
    return comparison_;
  }

 private:
  [[nodiscard]] double written(std::size_t row, std::int64_t column) const {
    const Row& at = rows_[row];
    const TensorView& out = result_.out;
    const std::int64_t index = at.batch * out.stride[0] + at.query * out.stride[1] + at.head * out.stride[2] + column;
    return static_cast<double>(load_element(out.data, index, out.dtype));
  }

  [[nodiscard]] double written_lse(std::size_t row) const {
    const Row& at = rows_[row];
    const LseView& lse = result_.lse;
    return static_cast<double>(lse.data[at.batch * lse.stride[0] + at.head * lse.stride[1] + at.query * lse.stride[2]]);
  }

  [[nodiscard]] double exact_at(std::size_t row, std::int64_t column) const {
    return exact_.out[row * static_cast<std::size_t>(problem_.head_dim_v) + static_cast<std::size_t>(column)];
  }

  [[nodiscard]] Region region_of(std::size_t first, std::size_t count) const {
    Region region;
    for (std::size_t row = first; row < first + count; ++row) {
      region.max_score = std::max(region.max_score, finite_or_zero(exact_.max_abs_score[row]));
      region.max_value = std::max(region.max_value, finite_or_zero(exact_.max_abs_value[row]));
      for (std::int64_t column = 0; column < problem_.head_dim_v; ++column)
        add_output(region, row, column);
      if (!problem_.lse || result_.lse.data == nullptr)
        continue;
      const double error = distance(written_lse(row), exact_.lse[row]);
      if (error > region.lse_error) {
        region.lse_error = error;
        region.lse_row = row;
      }
    }
    return region;
  }

  void add_output(Region& region, std::size_t row, std::int64_t column) const {
    const double exact = exact_at(row, column);
    const double error = distance(written(row, column), exact);
    if (error > region.max_error) {
      region.max_error = error;
      region.worst_row = row;
      region.worst_column = column;
    }
    if (!std::isfinite(exact))
      return;
    const auto naive = static_cast<double>(
        naive_.out[row * static_cast<std::size_t>(problem_.head_dim_v) + static_cast<std::size_t>(column)]);
    // Where f32 itself overflows on a finite answer the naive twin has nothing to say and allows nothing.
    const double naive_error = finite_or_zero(std::fabs(naive - exact));
    region.max_exact = std::max(region.max_exact, std::fabs(exact));
    region.max_naive = std::max(region.max_naive, naive_error);
    region.squares += error * error;
    region.naive_squares += naive_error * naive_error;
    region.outputs += 1;
  }

  void judge(const Region& region) {
    const double tiny = bound_.tiny * (1 + region.max_score) * region.max_value;
    if (region.outputs > 0) {
      weigh(BoundCheck::max_error, region.max_error,
            bound_.max_factor * region.max_naive + ulp(problem_.out, region.max_exact) + tiny, region.worst_row,
            region.worst_column);
      weigh(BoundCheck::rmse, std::sqrt(region.squares / region.outputs),
            bound_.rmse_factor * std::sqrt(region.naive_squares / region.outputs) + tiny, region.worst_row,
            region.worst_column);
    } else {
      weigh(BoundCheck::max_error, region.max_error, 0, region.worst_row, region.worst_column);
    }
    weigh(BoundCheck::lse, region.lse_error, bound_.lse_absolute + bound_.lse_relative * (1 + region.max_score),
          region.lse_row, -1);
  }

  void weigh(BoundCheck check, double error, double allowed, std::size_t row, std::int64_t column) {
    if (error == 0)
      return;
    const double quotient = error / allowed;
    const double ratio = std::isnan(quotient) ? infinity : quotient;  // where all is infinite nothing is right
    if (!(ratio > comparison_.worst_ratio))
      return;
    comparison_.worst_ratio = ratio;
    comparison_.check = check;
    comparison_.row = rows_[row];
    comparison_.column = column;
    comparison_.value = column < 0 ? written_lse(row) : written(row, column);
    comparison_.exact = column < 0 ? exact_.lse[row] : exact_at(row, column);
    comparison_.error = error;
    comparison_.allowed = allowed;
  }

  const Problem& problem_;
  const AttentionTensors& result_;
  std::span<const Row> rows_;
  const ExactRows& exact_;
  const NaiveRows& naive_;
  const ErrorBound& bound_;
  Comparison comparison_;
};

}  // namespace

const ErrorBound& error_bound(const Problem& problem) noexcept {
  return is_fp8(problem.q) && is_fp8(problem.k) ? fp8_bound : wide_bound;
}

double ulp(Dtype dtype, double magnitude) noexcept {
  struct Steps {
    int mantissa_bits;
    int smallest_exponent;
  };
  constexpr Steps table[] = {{23, -126}, {10, -14}, {7, -126}, {3, -6}, {2, -14}};  // in the order of Dtype
  const Steps& steps = table[static_cast<std::size_t>(dtype)];
  const int exponent = magnitude > 0 && std::isfinite(magnitude) ? std::ilogb(magnitude) : steps.smallest_exponent;
  return std::ldexp(1.0, std::max(exponent, steps.smallest_exponent) - steps.mantissa_bits);
}

std::string_view name(BoundCheck check) noexcept {
  switch (check) {
    case BoundCheck::max_error:
      return "max error";
    case BoundCheck::rmse:
      return "RMSE";
    case BoundCheck::lse:
      return "LSE error";
  }
  return "";
}

std::string Comparison::sentence() const {
  const std::string place = fmt::format("batch {} query {} head {}{}", row.batch, row.query, row.head,
                                        column < 0 ? std::string() : fmt::format(" column {}", column));
  const std::string_view relation = check == BoundCheck::rmse ? " with the largest error" : "";
  return fmt::format("{} {:.3g} is {:.3g} times the bound {:.3g}{} at {} ({:.6g} instead of {:.6g})", name(check),
                     error, worst_ratio, allowed, relation, place, value, exact);
}

Comparison compare(const Problem& problem, const AttentionTensors& result, std::span<const Row> rows,
                   const ExactRows& exact, const NaiveRows& naive) {
  return Comparer(problem, result, rows, exact, naive).run();
}

}  // namespace attentune
