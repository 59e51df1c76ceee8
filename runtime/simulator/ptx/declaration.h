// Declarations of memory: "[.align 8] [.v4] .b8 name[16] [= {...}]". PTX ISA 9.0, section 5.4.
#pragma once

#include <string_view>

#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// ".b32" to its type. Throws RefusalError for a directive that is none.
[[nodiscard]] Type parse_type(const Token& directive);

// What follows the state space, up to and without the ',' or ';'. `name` is the token of its name, for refusals.
// Throws RefusalError for sizes beyond 2^40 bytes and for addresses in initializers.
struct Declaration {
  Token name;
  Variable variable;
};
[[nodiscard]] Declaration parse_declaration(Lexer& lexer, Space space);

// ".ptr [.space] [.align n]" and ".attribute(...)" say nothing that execution asks for.
void skip_attributes(Lexer& lexer);

// The strings after ".pragma", up to and with the ';'. They never change what a program means (section 11.4.7).
void skip_pragma(Lexer& lexer);

}  // namespace attentune::ptx
