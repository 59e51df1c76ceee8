// Sizes and launch choices with which a kernel goes every way it can.
#pragma once

#include <vector>

#include "generator/config.h"
#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/verify.h"

namespace attentune {

// The kernel of a problem's class and a Config's compile choices, run on another problem, with other launch choices.
struct CoveringRun {
  Problem problem;
  Config config;
  Values values = Values::normal;
};

// The first one is the given problem and Config.
[[nodiscard]] std::vector<CoveringRun> covering_runs(const Problem& problem, const ConfigSpace& space,
                                                     const Config& config);

// Against the exact reference: sampled rows of normal values, else all rows. Nothing outside the tensors may change.
[[nodiscard]] Verdict verify(const CoveringRun& run, const RunKernel& kernel, Verifier& verifier, Executor& executor);

}  // namespace attentune
