// An entry: its parameters, its launch bounds and the statements of its body. PTX ISA 9.0, sections 4.3 and 11.
#pragma once

#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"
#include "runtime/simulator/ptx/names.h"

namespace attentune::ptx {

// What follows ".entry", up to its last brace. Throws RefusalError.
[[nodiscard]] Entry parse_entry(Lexer& lexer, ModuleNames& module);

}  // namespace attentune::ptx
