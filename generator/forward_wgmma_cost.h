// The analytic model that orders Configs of forward_wgmma (DESIGN section 6): what a step keeps busy, how much of that
// runs at the same time, how many waves of work items there are.
#pragma once

#include "generator/arch.h"
#include "generator/forward_wgmma_shape.h"
#include "generator/problem.h"

namespace attentune {

// Instructions a consumer thread issues in a step beside wgmma, for each of its scores: tools/gpu/sass_report counts
// them in the compiled loop (6.9 predicted and counted at 128 keys and head dim 128).
[[nodiscard]] double issue_slots_a_score(const WgmmaShape& shape, const Problem& problem);

// Busy clocks of one SM for one key tile of one block, a resource at a time.
struct WgmmaStepClocks {
  double matrix = 0;       // wgmma
  double exponential = 0;  // ex2
  double issue = 0;        // all other instructions, four schedulers
  double global = 0;       // K and V from the second-level cache
};
[[nodiscard]] WgmmaStepClocks wgmma_step_clocks(const WgmmaShape& shape, const Problem& problem);

// Clocks of a whole call. Only its order over the space of a problem means something. Cost: some 100 evaluations of the
// mask.
[[nodiscard]] double predicted_clocks(const WgmmaShape& shape, const Problem& problem, const GpuArch& arch);

}  // namespace attentune
