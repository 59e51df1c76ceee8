// The analytic model that orders Configs of forward_mma (DESIGN section 6): which resource limits a step, how many
// blocks share an SM, how many waves they make.
#pragma once

#include "generator/arch.h"
#include "generator/forward_mma_shape.h"
#include "generator/problem.h"

namespace attentune {

// Busy clocks of one SM for one key tile of one block, a resource at a time.
struct StepClocks {
  double matrix = 0;       // mma.sync
  double exponential = 0;  // ex2
  double arithmetic = 0;   // f32 pipes: maxima, scale, sums, conversion, score function, rescaling of O
  double issue = 0;        // instructions of all kinds, four schedulers
  double shared = 0;       // bytes through shared memory: ldmatrix and cp.async
  double global = 0;       // bytes from the second-level cache, with what is in flight
};
// `blocks` share the SM: with more of them more copies are in flight.
[[nodiscard]] StepClocks step_clocks(const MmaShape& shape, const Problem& problem, const GpuArch& arch, double blocks);

// Clocks of a whole call. Only its order over the space of a problem means something. Cost: some 100 evaluations of the
// mask.
[[nodiscard]] double predicted_clocks(const MmaShape& shape, const Problem& problem, const GpuArch& arch);

}  // namespace attentune
