#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "runtime/simulator/ptx/declaration.h"
#include "runtime/simulator/ptx/entry_parser.h"
#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"
#include "runtime/simulator/ptx/names.h"

namespace attentune::ptx {
namespace {

class ModuleParser {
 public:
  explicit ModuleParser(std::string_view text) : lexer_(text) {}

  Module parse() {
    parse_version();
    while (lexer_.peek().kind != Token::Kind::end)
      parse_directive();
    return std::move(module_);
  }

 private:
  // Sections 11.1.1 and 11.1.2: these two come first.
  void parse_version() {
    if (!lexer_.accept(".version"))
      refuse(lexer_.peek(), "a module begins with .version", "pass a PTX text, not a cubin");
    module_.version = std::string(lexer_.expect(Token::Kind::number, "a version").text);
    if (!lexer_.accept(".target"))
      refuse(lexer_.peek(), "'.target' is expected after .version", "mend the text");
    module_.target = std::string(lexer_.expect(Token::Kind::word, "a target").text);
    while (lexer_.accept(',')) {
      if (!lexer_.accept("debug"))
        refuse(lexer_.peek(), "this platform option is not served", "compile without it");
    }
  }

  void parse_directive() {
    bool is_extern = false;
    while (lexer_.peek().is(".extern") || lexer_.peek().is(".visible") || lexer_.peek().is(".weak") ||
           lexer_.peek().is(".common"))
      is_extern |= lexer_.take().is(".extern");
    const Token directive = lexer_.take();
    if (directive.is(".entry"))
      parse_entry_once(directive, is_extern);
    else if (directive.is(".shared"))
      parse_variables(Space::shared, is_extern);
    else if (directive.is(".global"))
      parse_variables(Space::global, is_extern);
    else if (directive.is(".const"))
      parse_variables(Space::constant, is_extern);
    else if (directive.is(".func"))
      refuse(directive, "functions are not served", "force them inline");
    else if (is_extern)
      refuse(directive, "only .shared can be .extern", "define it in this module");
    else if (directive.is(".address_size"))
      parse_address_size();
    else if (directive.is(".file"))
      parse_file();
    else if (directive.is(".section"))
      skip_section();
    else if (directive.is(".pragma"))
      skip_pragma(lexer_);
    else
      refuse(directive, "a directive that this reader knows is expected", "compile the module without it");
  }

  void parse_entry_once(const Token& directive, bool is_extern) {
    const Token name = lexer_.peek();
    if (is_extern)
      refuse(directive, "an entry must be defined where it is run", "link the modules first");
    if (!entries_.insert(name.text).second)
      refuse(name, "this entry is defined twice", "rename one of them");
    module_.entries.push_back(parse_entry(lexer_, names_));
  }

  void parse_variables(Space space, bool is_extern) {
    for (Declaration& declaration : parse_declarations(lexer_, space)) {
      if (is_extern && space != Space::shared)
        refuse(declaration.name, "only .shared can be .extern", "define it in this module");
      if (declaration.variable.bytes == 0 && !is_extern)
        refuse(declaration.name, "an array without a size must be .extern .shared", "state its size");
      names_.declare(std::move(declaration));
    }
  }

  void parse_address_size() {
    const Token bits = lexer_.expect(Token::Kind::number, "64");
    if (!bits.is("64"))
      refuse(bits, "addresses have 64 bits", "compile for a 64-bit machine");
  }

  // ".file 1 "name"[, time stamp, size]", section 11.5.3.
  void parse_file() {
    const auto number = static_cast<std::size_t>(lexer_.expect_count("a file's number", 1 << 16));
    const std::string_view quoted = lexer_.expect(Token::Kind::string, "a file's name").text;
    if (module_.files.size() <= number)
      module_.files.resize(number + 1);
    module_.files[number] = std::string(quoted.substr(1, quoted.size() - 2));
    while (lexer_.accept(','))
      lexer_.expect(Token::Kind::number, "a time stamp or a size");
  }

  // Debug data: nothing in it runs.
  void skip_section() {
    lexer_.expect(Token::Kind::directive, "a section's name");
    lexer_.expect('{', "before the section's data");
    while (lexer_.peek().kind != Token::Kind::end && !lexer_.peek().is('}'))
      lexer_.take();
    lexer_.expect('}', "after the section's data");
  }

  Lexer lexer_;
  ModuleNames names_;
  std::unordered_set<std::string_view> entries_;
  Module module_;
};

}  // namespace

Module parse(std::string_view text) { return ModuleParser(text).parse(); }

}  // namespace attentune::ptx
