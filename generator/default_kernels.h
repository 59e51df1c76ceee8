// What the built-in workloads get by default: the kernels people meet first, which compile checks, benchmarks and
// verification run over.
#pragma once

#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/source.h"
#include "generator/workloads.h"

namespace attentune {

struct DefaultKernel {
  NamedProblem named;  // "gemma-2-9b.local.prefill"
  Config config;
  Source source;
};

// Of every workload the Arch serves, by the family that serves it fastest; of those with the same Source, the first.
// Cost: the default Configs of the workloads (some 10 ms each).
[[nodiscard]] std::vector<DefaultKernel> default_kernels(const Arch& arch);

// Of every workload that family serves, whether or not another serves it faster.
[[nodiscard]] std::vector<DefaultKernel> default_kernels(const KernelFamily& family, const Arch& arch);

}  // namespace attentune
