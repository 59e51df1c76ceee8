// Sizes and launch choices with which a kernel goes every way it can.
#pragma once

#include <vector>

#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

// The kernel of a problem's class and a Config's compile choices, run on another problem, with other launch choices.
struct CoveringRun {
  Problem problem;
  Config config;
};

// The first one is the given problem and Config.
[[nodiscard]] std::vector<CoveringRun> covering_runs(const Problem& problem, const ConfigSpace& space,
                                                     const Config& config);

}  // namespace attentune
