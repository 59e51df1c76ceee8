// Many Sources through NVRTC, on all CPUs, and what it had to say.
#pragma once

#include <string>
#include <vector>

#include "generator/arch.h"
#include "generator/source.h"
#include "runtime/compiler.h"

namespace attentune {

struct Compilation {
  std::string name;
  Source source;
  int spill_bytes = 0;
  std::string complaint;  // "" when it compiled clean
};

// False, with a message, where there is no NVRTC to compile with.
bool compile_all(const Arch& arch, std::vector<Compilation>& compilations, const CompilerOptions& options = {});

}  // namespace attentune
