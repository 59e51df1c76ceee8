// Lexer: a PTX text as a row of tokens, one seen ahead; comments and white space are gone.
// Source: PTX ISA 9.0, sections 4.1 to 4.5.
#pragma once

#include <cstdint>
#include <string_view>

namespace attentune::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,       // "mma", "%r12", "$L__BB0_1", "_"
    directive,  // ".reg", ".x", ".4d", ".shared::cta"
    number,     // "12", "0x1F", "0f3F800000", "1.5e-3"; never a sign
    string,     // with its quotes
    symbol      // one of {}[]()<>,;:+-|!@=
  };
  Kind kind = Kind::end;
  std::string_view text;  // a part of the text given to the Lexer
  std::int32_t line = 1;

  [[nodiscard]] bool is(char symbol) const noexcept { return kind == Kind::symbol && text.front() == symbol; }
  [[nodiscard]] bool is(std::string_view whole) const noexcept { return text == whole; }
};

// Throws RefusalError "PTX line <line>=<what> is refused: <limit>; <remedy>".
[[noreturn]] void refuse(const Token& what, std::string_view limit, std::string_view remedy);

class Lexer {
 public:
  // Throws RefusalError, as every call that moves on, for a character PTX does not have.
  explicit Lexer(std::string_view text);

  [[nodiscard]] const Token& peek() const noexcept { return next_; }
  Token take();

  // Takes the next token if it is this one.
  bool accept(char symbol);
  bool accept(std::string_view whole);

  // Takes the next token, which must be of this kind; `what` completes "... is expected".
  void expect(char symbol, std::string_view what);
  Token expect(Token::Kind kind, std::string_view what);

  // A whole number from 0 to `most`.
  std::int64_t expect_count(std::string_view what, std::int64_t most);

 private:
  void skip_blanks();
  Token scan();

  std::string_view text_;
  std::size_t position_ = 0;
  std::int32_t line_ = 1;
  Token next_;
};

}  // namespace attentune::ptx
