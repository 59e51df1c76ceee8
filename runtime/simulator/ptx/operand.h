// Operands: PTX ISA 9.0, section 6.
#pragma once

#include <cstddef>

#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"
#include "runtime/simulator/ptx/names.h"

namespace attentune::ptx {

// The next operand, to stand at `position` of instruction `instruction`. Throws RefusalError.
[[nodiscard]] Operand parse_operand(Lexer& lexer, Names& names, std::size_t instruction, std::size_t position);

}  // namespace attentune::ptx
