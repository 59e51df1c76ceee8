// In which order Configs are tried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "generator/config.h"

namespace attentune {

struct OrderRequest {
  const ConfigSpace& space;
  Config default_config;                      // candidate 0
  std::vector<Config> preferred;              // next, as they come: a stale Winner, Winners of near buckets
  std::function<double(const Config&)> cost;  // predicted, relative
  std::uint64_t seed = 1;
  std::size_t limit = 200;  // most Configs wanted
};

// Deterministic by seed; no Config twice; preferred Configs outside the space are dropped. A space of any size: what
// does not fit a sample of some thousand is drawn from, never built.
[[nodiscard]] std::vector<Config> candidate_order(const OrderRequest& request);

}  // namespace attentune
