#include "runtime/simulator/ptx/declaration.h"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/simulator/ptx/literal.h"

namespace attentune::ptx {
namespace {

struct TypeRow {
  std::string_view name;
  Type type;
  int bytes;
};

constexpr std::array<TypeRow, 20> type_table{{
    {".pred", Type::pred, 1}, {".b8", Type::b8, 1},         {".b16", Type::b16, 2}, {".b32", Type::b32, 4},
    {".b64", Type::b64, 8},   {".b128", Type::b128, 16},    {".u8", Type::u8, 1},   {".u16", Type::u16, 2},
    {".u32", Type::u32, 4},   {".u64", Type::u64, 8},       {".s8", Type::s8, 1},   {".s16", Type::s16, 2},
    {".s32", Type::s32, 4},   {".s64", Type::s64, 8},       {".f16", Type::f16, 2}, {".f16x2", Type::f16x2, 4},
    {".bf16", Type::bf16, 2}, {".bf16x2", Type::bf16x2, 4}, {".f32", Type::f32, 4}, {".f64", Type::f64, 8},
}};

constexpr std::int64_t most_bytes = std::int64_t{1} << 40;

bool is_float(Type type) noexcept { return type == Type::f32 || type == Type::f64; }

// One element of an initializer, little-endian.
void append_element(Lexer& lexer, Type type, std::vector<std::uint8_t>& initial) {
  const bool negative = lexer.accept('-');
  if (lexer.peek().kind == Token::Kind::word)
    refuse(lexer.peek(), "an initializer holds numbers only, no addresses", "store the address when the kernel runs");
  const Token number = lexer.expect(Token::Kind::number, "a number");
  const Operand literal = parse_literal(number, negative);
  const int bytes = bytes_of(type);
  std::uint64_t bits = literal.bits;
  if (literal.is_float != is_float(type) || (literal.is_float && literal.float_bytes == 4 && type == Type::f64))
    refuse(number, "the number is not of the variable's type", "write integers for integers, 0f for f32, 0d for f64");
  if (literal.is_float && literal.float_bytes == 8 && type == Type::f32)
    bits = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
  for (int byte = 0; byte < bytes; ++byte)
    initial.push_back(byte < 8 ? static_cast<std::uint8_t>(bits >> (8 * byte)) : std::uint8_t{0});
}

void parse_initializer(Lexer& lexer, Type type, Variable& variable) {
  const Token first = lexer.peek();
  if (variable.space != Space::global && variable.space != Space::constant)
    refuse(first, "only .global and .const variables have initial values", "store it when the kernel runs");
  if (!lexer.accept('{')) {
    append_element(lexer, type, variable.initial);
  } else if (!lexer.accept('}')) {
    do
      append_element(lexer, type, variable.initial);
    while (lexer.accept(','));
    lexer.expect('}', "after the initial values");
  }
  const std::int64_t stated = static_cast<std::int64_t>(variable.initial.size());
  if (variable.bytes == 0)
    variable.bytes = stated;
  if (stated > variable.bytes)
    refuse(first, "there are more initial values than elements", "drop some");
}

std::int64_t parse_alignment(Lexer& lexer) {
  const Token token = lexer.peek();
  const std::int64_t alignment = lexer.expect_count("an alignment", 1 << 20);
  if (!std::has_single_bit(static_cast<std::uint64_t>(alignment)))
    refuse(token, "an alignment is a power of two", "mend the text");
  return alignment;
}

}  // namespace

int bytes_of(Type type) noexcept {
  for (const TypeRow& row : type_table) {
    if (row.type == type)
      return row.bytes;
  }
  return 0;
}

Type parse_type(const Token& directive) {
  for (const TypeRow& row : type_table) {
    if (directive.is(row.name))
      return row.type;
  }
  refuse(directive, "this is no type a variable may have", "use one of section 5.2.1 of the PTX ISA");
}

void skip_attributes(Lexer& lexer) {
  while (true) {
    if (lexer.accept(".ptr")) {
      for (const std::string_view space : {".const", ".global", ".local", ".shared"})
        lexer.accept(space);
      if (lexer.accept(".align"))
        parse_alignment(lexer);
    } else if (lexer.accept(".attribute")) {
      lexer.expect('(', "after .attribute");
      while (lexer.peek().kind != Token::Kind::end && !lexer.peek().is(')'))
        lexer.take();
      lexer.expect(')', "after the attributes");
    } else {
      return;
    }
  }
}

void skip_pragma(Lexer& lexer) {
  do
    lexer.expect(Token::Kind::string, "a string");
  while (lexer.accept(','));
  lexer.expect(';', "after .pragma");
}

Declaration parse_declaration(Lexer& lexer, Space space) {
  skip_attributes(lexer);
  std::optional<std::int64_t> alignment;
  if (lexer.accept(".align"))
    alignment = parse_alignment(lexer);
  const std::int64_t components = lexer.accept(".v2") ? 2 : lexer.accept(".v4") ? 4 : 1;
  const Token type_token = lexer.expect(Token::Kind::directive, "a type");
  const Type type = parse_type(type_token);
  if (type == Type::pred)
    refuse(type_token, "predicates live in registers only", "declare it with .reg");
  skip_attributes(lexer);

  Declaration declaration{.name = lexer.expect(Token::Kind::word, "a name"), .variable = {}};
  Variable& variable = declaration.variable;
  variable.name = std::string(declaration.name.text);
  variable.space = space;
  variable.bytes = components * bytes_of(type);
  variable.alignment = alignment.value_or(variable.bytes);  // a vector's is that of the whole, section 5.4.5
  for (bool first = true; lexer.accept('['); first = false) {
    if (first && lexer.accept(']')) {
      variable.bytes = 0;
      continue;
    }
    const std::int64_t elements = lexer.expect_count("a number of elements", most_bytes);
    if (elements == 0 || variable.bytes > most_bytes / elements)
      refuse(declaration.name, "an array has 1 byte to 1 TiB", "declare it smaller");
    variable.bytes *= elements;
    lexer.expect(']', "after the number of elements");
  }
  if (lexer.accept('='))
    parse_initializer(lexer, type, variable);
  return declaration;
}

}  // namespace attentune::ptx
