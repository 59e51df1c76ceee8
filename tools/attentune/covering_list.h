// The problems `attentune verify --all` runs: small, odd, and together touching every field that families serve.
#pragma once

#include <vector>

#include "generator/workloads.h"

namespace attentune {

[[nodiscard]] std::vector<NamedProblem> covering_list();

}  // namespace attentune
