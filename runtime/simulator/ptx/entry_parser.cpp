#include "runtime/simulator/ptx/entry_parser.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/simulator/ptx/declaration.h"
#include "runtime/simulator/ptx/operand.h"

namespace attentune::ptx {
namespace {

constexpr std::int64_t most_int32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t most_param_bytes = 32764;  // section 11.2.1

class EntryParser {
 public:
  EntryParser(Lexer& lexer, ModuleNames& module) : lexer_(lexer), names_(entry_, module) {}

  Entry parse() {
    entry_.name = std::string(lexer_.expect(Token::Kind::word, "the entry's name").text);
    if (lexer_.accept('('))
      parse_params();
    parse_launch_bounds();
    lexer_.expect('{', "before the entry's body");
    while (parse_statement()) {
    }
    return std::move(entry_);
  }

 private:
  void parse_params() {
    if (lexer_.accept(')'))
      return;
    do {
      const Token param = lexer_.peek();
      if (!lexer_.accept(".param"))
        refuse(param, "'.param' is expected", "mend the text");
      Declaration declaration = parse_declaration(lexer_, Space::param);
      Variable& variable = declaration.variable;
      variable.offset = (entry_.param_bytes + variable.alignment - 1) / variable.alignment * variable.alignment;
      if (variable.bytes == 0 || variable.bytes > most_param_bytes - variable.offset)
        refuse(declaration.name, "the parameters have 1 to 32764 bytes", "pass a pointer");
      entry_.param_bytes = variable.offset + variable.bytes;
      names_.declare_variable(std::move(declaration));
    } while (lexer_.accept(','));
    lexer_.expect(')', "after the parameters");
  }

  // Sections 11.4 and 11.7. Those left out here say how to assemble, not what runs.
  void parse_launch_bounds() {
    while (lexer_.peek().kind == Token::Kind::directive) {
      const Token directive = lexer_.take();
      if (directive.is(".maxntid"))
        entry_.max_threads = parse_extents();
      else if (directive.is(".reqntid"))
        entry_.required_threads = parse_extents();
      else if (directive.is(".reqnctapercluster"))
        entry_.cluster = parse_extents();
      else if (directive.is(".minnctapersm"))
        entry_.min_blocks = static_cast<std::int32_t>(lexer_.expect_count("a number of blocks", most_int32));
      else if (directive.is(".maxnreg"))
        entry_.max_registers = static_cast<std::int32_t>(lexer_.expect_count("a number of registers", most_int32));
      else if (directive.is(".maxnctapersm") || directive.is(".maxclusterrank"))
        lexer_.expect_count("a number", most_int32);
      else if (directive.is(".pragma"))
        skip_pragma(lexer_);
      else if (!directive.is(".explicitcluster"))
        refuse(directive, "this directive is not served for an entry", "compile the kernel without it");
    }
  }

  std::array<std::int32_t, 3> parse_extents() {
    std::array<std::int32_t, 3> extents = {1, 1, 1};
    std::size_t dimension = 0;
    do {
      if (dimension == extents.size())
        refuse(lexer_.peek(), "there are three dimensions", "drop this one");
      extents[dimension++] = static_cast<std::int32_t>(lexer_.expect_count("an extent", most_int32));
    } while (lexer_.accept(','));
    return extents;
  }

  // False after the entry's last brace.
  bool parse_statement() {
    const Token token = lexer_.take();
    switch (token.kind) {
      case Token::Kind::word:
        if (lexer_.accept(':'))
          parse_label(token);
        else
          parse_instruction(token, {});
        return true;
      case Token::Kind::directive:
        parse_directive(token);
        return true;
      case Token::Kind::symbol:
        if (token.is('}'))
          return names_.close_scope();
        if (token.is('{')) {
          names_.open_scope(token);
          return true;
        }
        if (token.is('@')) {
          const Guard guard = parse_guard();
          parse_instruction(lexer_.expect(Token::Kind::word, "an instruction"), guard);
          return true;
        }
        [[fallthrough]];
      default:
        refuse(token, "an instruction, a label, a directive or '}' is expected", "mend the text");
    }
  }

  void parse_label(const Token& name) {
    if (!lexer_.accept(".branchtargets")) {
      names_.declare_label(name);
      return;
    }
    std::vector<Token> labels;
    do
      labels.push_back(lexer_.expect(Token::Kind::word, "a label"));
    while (lexer_.accept(','));
    lexer_.expect(';', "after the labels");
    names_.declare_targets(name, labels);
  }

  Guard parse_guard() {
    Guard guard{.index = -1, .negated = lexer_.accept('!')};
    const Token name = lexer_.expect(Token::Kind::word, "a predicate");
    const auto meaning = names_.find(name);
    if (!meaning || !names_.is_predicate(*meaning))
      refuse(name, "a guard is a predicate register", "declare it with .reg .pred");
    guard.index = meaning->index;
    return guard;
  }

  void parse_instruction(const Token& first, std::optional<Guard> guard) {
    if (first.is("call"))
      refuse(first, "calls are not served", "force the called function inline");
    Instruction instruction;
    instruction.opcode = std::string(first.text);
    instruction.modifiers.emplace_back(first.text);
    while (lexer_.peek().kind == Token::Kind::directive) {
      const Token part = lexer_.take();
      instruction.opcode += part.text;
      instruction.modifiers.emplace_back(part.text.substr(1));
    }
    instruction.guard = guard;
    instruction.line = first.line;
    instruction.source = source_;
    if (!lexer_.accept(';')) {
      do
        instruction.operands.push_back(
            parse_operand(lexer_, names_, entry_.instructions.size(), instruction.operands.size()));
      while (lexer_.accept(','));
      lexer_.expect(';', "after the instruction");
    }
    entry_.instructions.push_back(std::move(instruction));
  }

  void parse_directive(const Token& directive) {
    if (directive.is(".reg"))
      parse_registers();
    else if (directive.is(".shared"))
      parse_variables(Space::shared);
    else if (directive.is(".local"))
      parse_variables(Space::local);
    else if (directive.is(".loc"))
      parse_loc();
    else if (directive.is(".pragma"))
      skip_pragma(lexer_);
    else
      refuse(directive, "this directive is not served in an entry", "compile the kernel without it");
  }

  void parse_registers() {
    const Type type = parse_type(lexer_.expect(Token::Kind::directive, "a type"));
    do {
      const Token name = lexer_.expect(Token::Kind::word, "a register's name");
      if (!lexer_.accept('<')) {
        names_.declare_register(name, type);
        continue;
      }
      names_.declare_registers(name, type, lexer_.expect_count("a number of registers", most_int32));
      lexer_.expect('>', "after the number of registers");
    } while (lexer_.accept(','));
    lexer_.expect(';', "after the registers");
  }

  void parse_variables(Space space) {
    for (Declaration& declaration : parse_declarations(lexer_, space)) {
      if (declaration.variable.bytes == 0)
        refuse(declaration.name, "an array without a size must be .extern .shared", "state its size");
      names_.declare_variable(std::move(declaration));
    }
  }

  // Section 11.5.4; an inlined function's line is its own, not its caller's.
  void parse_loc() {
    source_.file = static_cast<std::int32_t>(lexer_.expect_count("a file", most_int32));
    source_.line = static_cast<std::int32_t>(lexer_.expect_count("a line", most_int32));
    lexer_.expect_count("a column", most_int32);
    if (!lexer_.accept(','))
      return;
    if (!lexer_.accept("function_name"))
      refuse(lexer_.peek(), "'function_name' is expected", "mend the text");
    lexer_.take();
    if (lexer_.accept('+'))
      lexer_.expect(Token::Kind::number, "an offset");
    lexer_.expect(',', "before 'inlined_at'");
    if (!lexer_.accept("inlined_at"))
      refuse(lexer_.peek(), "'inlined_at' is expected", "mend the text");
    for (int number = 0; number < 3; ++number)
      lexer_.expect_count("a file, a line and a column", most_int32);
  }

  Lexer& lexer_;
  Entry entry_;
  Names names_;
  SourceLine source_;
};

}  // namespace

Entry parse_entry(Lexer& lexer, ModuleNames& module) { return EntryParser(lexer, module).parse(); }

}  // namespace attentune::ptx
