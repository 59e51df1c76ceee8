// In which order Configs are tried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/problem.h"

namespace attentune {

// A family's Configs of a problem.
struct FamilySpace {
  const KernelFamily* family = nullptr;
  ConfigSpace space;
  Config default_config;
  std::function<double(const Config&)> cost;  // predicted, in the same measure for all spaces of a request
};
// In the order of `families`. They, `problem` and `arch` are referred to.
[[nodiscard]] std::vector<FamilySpace> spaces_of(const std::vector<const KernelFamily*>& families,
                                                 const Problem& problem, const Arch& arch);

struct OrderRequest {
  const std::vector<FamilySpace>& spaces;  // the first's default is candidate 0, those of the others come next
  std::vector<FamilyConfig> preferred;     // then these: a stale Winner, Winners of near buckets
  std::uint64_t seed = 1;
  std::size_t limit = 200;  // most Configs wanted
};

// Spaces whose best is predicted to be about as fast as any take turns, each by its predicted cost with random picks
// between; of others the default alone is tried. Deterministic by seed; no Config twice; preferred Configs outside
// their space are dropped. Spaces of any size: what does not fit a sample of some thousand is drawn from, never built.
[[nodiscard]] std::vector<FamilyConfig> candidate_order(const OrderRequest& request);

}  // namespace attentune
