// The fixed probe set of a class (promise 1a): small problems on the edges of the semantics.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "generator/problem.h"
#include "runtime/reference/random_tensors.h"

namespace attentune {

// One probe: a problem of the class, and what to fill it with.
struct Probe {
  std::string_view what;  // "more queries than keys"
  Problem problem;
  std::uint64_t seed = 0;
  Values values = Values::normal;
  BufferOptions options;
};

inline constexpr double probe_budget_flop = 2.0e9;

// Depends on the class of `problem` alone; together at most probe_budget_flop.
[[nodiscard]] std::vector<Probe> probe_set(const Problem& problem);

}  // namespace attentune
