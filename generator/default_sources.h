// What a family makes of the built-in workloads: the Sources people meet first, which compile checks and benchmarks run
// over.
#pragma once

#include <string>
#include <vector>

#include "generator/arch.h"
#include "generator/kernel_family.h"
#include "generator/source.h"

namespace attentune {

struct NamedSource {
  std::string name;  // "gemma-2-9b.local.prefill"
  Source source;
};

// The default Config of every workload the family serves on the Arch; of those with the same text, the first.
[[nodiscard]] std::vector<NamedSource> default_sources(const KernelFamily& family, const Arch& arch);

}  // namespace attentune
