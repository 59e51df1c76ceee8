// Declarations of memory: "[.align 8] [.v4] .b8 name[16] [= {...}]". PTX ISA 9.0, section 5.4.
#pragma once

#include <vector>

#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// ".b32" to its type. Throws RefusalError for a directive that is none.
[[nodiscard]] Type parse_type(const Token& directive);

struct Declaration {
  Token name;  // for refusals
  Variable variable;
};

// What follows the state space. An array without a size has 0 bytes; whether it may is the caller's to say. Throws
// RefusalError for sizes beyond 2^40 bytes and for addresses in initializers.
[[nodiscard]] Declaration parse_declaration(Lexer& lexer, Space space);                // "p[4]", up to the ',' or ')'
[[nodiscard]] std::vector<Declaration> parse_declarations(Lexer& lexer, Space space);  // "a = 1, b[4];"

// ".ptr [.space] [.align n]" and ".attribute(...)" say nothing that execution asks for.
void skip_attributes(Lexer& lexer);

// The strings after ".pragma", up to and with the ';'. They never change what a program means (section 11.4.7).
void skip_pragma(Lexer& lexer);

}  // namespace attentune::ptx
