// The default kernels of the built-in workloads, as they ship, on problems short enough for a simulator.
#pragma once

#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/workloads.h"

namespace attentune {

// A workload's class at lengths of its own, and the Config that is the workload's default. (The default of the short
// problem would be another one, of smaller tiles.)
struct DefaultCase {
  NamedProblem named;  // by the workload: "llama-3.1-8b.prefill"
  Config config;
};

// Of every workload a GPU of that Arch serves, by the family that serves it fastest; of those with the same Source, the
// first; nothing for a host. Lengths follow from the Config: more tiles of keys than twice the stages, the last of rows
// and of keys in part; where rows can go without a key, a whole row tile does; two heads of K and V. A persistent
// kernel has at least three work items for each of `workers` blocks. Cost: the default Configs of the workloads (some
// 10 ms each).
[[nodiscard]] std::vector<DefaultCase> default_cases(const Arch& arch, int workers);

}  // namespace attentune
