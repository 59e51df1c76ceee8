// Many Sources through NVRTC, on all CPUs, and what it had to say.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "generator/arch.h"
#include "generator/kernel_family.h"
#include "generator/source.h"
#include "runtime/compiler.h"

namespace attentune {

struct Compilation {
  std::string name;
  Source source;
  int spill_bytes = 0;
  std::string complaint;  // "" when it compiled clean
};

// The family's defaults for the built-in workloads; at least ten.
std::vector<Compilation> defaults_of(const KernelFamily& family, const Arch& arch);

// At most so many points of the family's sample of features.
std::vector<Compilation> sample_of(const KernelFamily& family, const Arch& arch, std::size_t points);

// False, with a message, where there is no NVRTC to compile with.
bool compile_all(const Arch& arch, std::vector<Compilation>& compilations, const CompilerOptions& options = {});

}  // namespace attentune
