// A Module as PTX text again, for tests: what assembles to the same code as the text it was read from was read right.
#pragma once

#include <string>

#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// Registers and variables get names from their indices; labels stand before each instruction that is branched to.
// Source lines and files are left out.
[[nodiscard]] std::string to_text(const Module& module);

}  // namespace attentune::ptx
