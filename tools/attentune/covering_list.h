// The problems `attentune verify --all` runs: small, odd, and together touching every field that families serve.
#pragma once

#include <optional>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/workloads.h"

namespace attentune {

[[nodiscard]] std::vector<NamedProblem> covering_list();

// A problem, and the Config to verify it with; none: the problem's default.
struct CoveringCase {
  NamedProblem named;
  std::optional<Config> config;
};
// The list, whether the Arch is served or not, then the default kernels of the built-in workloads
// (generator/default_cases.h) for a device of that many workers.
[[nodiscard]] std::vector<CoveringCase> covering_cases(const Arch& arch, int workers);

}  // namespace attentune
