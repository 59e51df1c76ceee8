#include "runtime/simulator/ptx/operand.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "runtime/simulator/ptx/literal.h"
#include "runtime/simulator/ptx/special_registers.h"

namespace attentune::ptx {
namespace {

Operand of_kind(Operand::Kind kind, std::int32_t index = -1) {
  Operand operand;
  operand.kind = kind;
  operand.index = index;
  return operand;
}

// "+8" or "+-8" after a register or name; 0 when there is none.
std::int64_t parse_offset(Lexer& lexer) {
  if (!lexer.accept('+'))
    return 0;
  const bool negative = lexer.accept('-');
  const Token number = lexer.expect(Token::Kind::number, "an offset");
  const Operand literal = parse_literal(number, negative);
  const std::int64_t offset = static_cast<std::int64_t>(literal.bits);
  if (literal.is_float || offset < std::numeric_limits<std::int32_t>::min() ||
      offset > std::numeric_limits<std::uint32_t>::max())
    refuse(number, "an offset is a 32-bit integer", "add it to the register");
  return offset;
}

Operand parse_special(Lexer& lexer, const Token& name) {
  Operand operand = of_kind(Operand::Kind::special);
  operand.text = std::string(name.text);
  if (lexer.peek().kind == Token::Kind::directive)
    operand.text += lexer.take().text;
  if (!is_special_register(operand.text))
    refuse(name, "this is neither a declared register nor a special one", "declare it, or add its .x, .y or .z");
  return operand;
}

// What stands anywhere, also in vectors: a register, a name's address, a number. Nothing for a word that may be a
// label.
std::optional<Operand> parse_simple(Lexer& lexer, Names& names) {
  const Token token = lexer.take();
  if (token.kind == Token::Kind::number)
    return parse_literal(token, false);
  if (token.is('-') || token.is('+'))
    return parse_literal(lexer.expect(Token::Kind::number, "a number"), token.is('-'));
  if (token.kind != Token::Kind::word)
    refuse(token, "an operand is expected", "mend the text");
  if (token.is("_"))
    return of_kind(Operand::Kind::sink);
  if (const auto meaning = names.find(token)) {
    if (meaning->kind == Names::Meaning::Kind::reg)
      return of_kind(Operand::Kind::reg, meaning->index);
    Operand operand = of_kind(Operand::Kind::variable, meaning->index);
    operand.offset = parse_offset(lexer);
    return operand;
  }
  if (token.is("WARP_SZ")) {
    Operand operand = of_kind(Operand::Kind::immediate);
    operand.bits = 32;
    return operand;
  }
  if (token.text.front() == '%')
    return parse_special(lexer, token);
  return std::nullopt;
}

Operand parse_element(Lexer& lexer, Names& names) {
  const Token first = lexer.peek();
  std::optional<Operand> operand = parse_simple(lexer, names);
  if (!operand)
    refuse(first, "nothing of this name is declared where it stands", "declare it before its use");
  return *std::move(operand);
}

Operand parse_vector(Lexer& lexer, Names& names) {
  Operand vector = of_kind(Operand::Kind::vector);
  do
    vector.elements.push_back(parse_element(lexer, names));
  while (lexer.accept(','));
  lexer.expect('}', "after the elements");
  return vector;
}

Operand parse_address(Lexer& lexer, Names& names) {
  const Token first = lexer.peek();
  const Operand base = parse_element(lexer, names);
  Operand address = of_kind(Operand::Kind::address);
  switch (base.kind) {
    case Operand::Kind::reg:
      address.base_register = base.index;
      address.offset = parse_offset(lexer);
      break;
    case Operand::Kind::variable:
      address.index = base.index;
      address.offset = base.offset;
      break;
    case Operand::Kind::immediate:
      address.offset = static_cast<std::int64_t>(base.bits);
      if (!base.is_float)
        break;
      [[fallthrough]];
    default:
      refuse(first, "an address begins with a register, a variable or an integer", "move it to a register");
  }
  while (lexer.accept(','))
    address.elements.push_back(lexer.accept('{') ? parse_vector(lexer, names) : parse_element(lexer, names));
  lexer.expect(']', "after the address");
  return address;
}

}  // namespace

Operand parse_operand(Lexer& lexer, Names& names, std::size_t instruction, std::size_t position) {
  if (lexer.accept('{'))
    return parse_vector(lexer, names);
  if (lexer.accept('['))
    return parse_address(lexer, names);
  if (lexer.accept('!')) {
    const Token name = lexer.take();
    const auto meaning = names.find(name);
    if (!meaning || !names.is_predicate(*meaning))
      refuse(name, "only a predicate register can be negated", "mend the text");
    Operand operand = of_kind(Operand::Kind::reg, meaning->index);
    operand.negated = true;
    return operand;
  }
  const Token first = lexer.peek();
  std::optional<Operand> operand = parse_simple(lexer, names);
  if (!operand) {
    names.use_label(first, instruction, position);
    return of_kind(Operand::Kind::label);
  }
  if (!lexer.accept('|'))
    return *std::move(operand);
  Operand pair = of_kind(Operand::Kind::pair);
  pair.elements.push_back(*std::move(operand));
  pair.elements.push_back(parse_element(lexer, names));
  return pair;
}

}  // namespace attentune::ptx
