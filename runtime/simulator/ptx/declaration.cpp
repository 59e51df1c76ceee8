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

// The bits of one element; a float is rounded or widened to the variable's type.
std::uint64_t element_bits(const Token& number, const Operand& literal, Type type) {
  const bool is_float = type == Type::f32 || type == Type::f64;
  if (!literal.is_float && !is_float)
    return literal.bits;
  if (literal.is_float && (is_float || type == Type::b32 || type == Type::b64)) {
    if (literal.float_bytes == bytes_of(type))
      return literal.bits;
    return literal.float_bytes == 4
               ? std::bit_cast<std::uint64_t>(double{std::bit_cast<float>(static_cast<std::uint32_t>(literal.bits))})
               : std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(literal.bits)));
  }
  refuse(number, "the number is not of the variable's type", "write integers for integers and 0f or 0d for floats");
}

// One element of an initializer, little-endian.
void append_element(Lexer& lexer, Type type, std::vector<std::uint8_t>& initial) {
  const bool negative = lexer.accept('-');
  if (lexer.peek().kind == Token::Kind::word)
    refuse(lexer.peek(), "an initializer holds numbers only, no addresses", "store the address when the kernel runs");
  const Token number = lexer.expect(Token::Kind::number, "a number");
  const std::uint64_t bits = element_bits(number, parse_literal(number, negative), type);
  for (int byte = 0; byte < bytes_of(type); ++byte)
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

// What stands before the name.
struct Head {
  std::int64_t alignment = 1;
  std::int64_t element_bytes = 1;  // of a whole vector
  Type type = Type::b8;            // of a vector's component
};

Head parse_head(Lexer& lexer) {
  skip_attributes(lexer);
  std::optional<std::int64_t> alignment;
  if (lexer.accept(".align"))
    alignment = parse_alignment(lexer);
  const int components = lexer.accept(".v2") ? 2 : lexer.accept(".v4") ? 4 : 1;
  const Token type_token = lexer.expect(Token::Kind::directive, "a type");
  const Type type = parse_type(type_token);
  if (type == Type::pred)
    refuse(type_token, "predicates live in registers only", "declare it with .reg");
  skip_attributes(lexer);
  const std::int64_t bytes = components * bytes_of(type);
  return {.alignment = alignment.value_or(bytes), .element_bytes = bytes, .type = type};
}

Declaration parse_variable(Lexer& lexer, Space space, const Head& head) {
  Declaration declaration{.name = lexer.expect(Token::Kind::word, "a name"), .variable = {}};
  Variable& variable = declaration.variable;
  variable.name = std::string(declaration.name.text);
  variable.space = space;
  variable.bytes = head.element_bytes;
  variable.alignment = head.alignment;
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
    parse_initializer(lexer, head.type, variable);
  return declaration;
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

Declaration parse_declaration(Lexer& lexer, Space space) { return parse_variable(lexer, space, parse_head(lexer)); }

std::vector<Declaration> parse_declarations(Lexer& lexer, Space space) {
  const Head head = parse_head(lexer);
  std::vector<Declaration> declarations;
  do
    declarations.push_back(parse_variable(lexer, space, head));
  while (lexer.accept(','));
  lexer.expect(';', "after the variables");
  return declarations;
}

}  // namespace attentune::ptx
