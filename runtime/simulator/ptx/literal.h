// Literals: PTX ISA 9.0, sections 4.5.1 and 4.5.2.
#pragma once

#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// An immediate operand from a number and the sign before it. Integers: decimal, 0x, 0b and octal, with an optional U.
// Floats: 0f and 0d with all their hex digits, unsigned, and decimal ones, which are always f64. Throws RefusalError.
[[nodiscard]] Operand parse_literal(const Token& number, bool negative);

}  // namespace attentune::ptx
