#include "runtime/simulator/ptx/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "generator/error.h"

namespace attentune::ptx {
namespace {

enum CharClass : std::uint8_t { other = 0, blank = 1, letter = 2, digit = 4, symbol = 8 };

constexpr std::array<std::uint8_t, 256> classify() noexcept {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : std::string_view(" \t\r\n\f\v"))
    classes[static_cast<unsigned char>(c)] = blank;
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"))
    classes[static_cast<unsigned char>(c)] = letter;
  for (const char c : std::string_view("0123456789"))
    classes[static_cast<unsigned char>(c)] = digit;
  for (const char c : std::string_view("{}[]()<>,;:+-|!@="))
    classes[static_cast<unsigned char>(c)] = symbol;
  return classes;
}

bool belongs(char c, unsigned classes) noexcept {
  static constexpr std::array<std::uint8_t, 256> table = classify();
  return (table[static_cast<unsigned char>(c)] & classes) != 0;
}

// At most 60 characters, so that a sentence stays one, and none a terminal would act on.
std::string shown(const Token& token) {
  if (token.kind == Token::Kind::end)
    return "the end of the text";
  std::string text(token.text.substr(0, 60));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return token.text.size() > 60 ? text + "..." : text;
}

}  // namespace

void refuse(const Token& what, std::string_view limit, std::string_view remedy) {
  throw RefusalError({.field = fmt::format("PTX line {}", what.line),
                      .value = shown(what),
                      .limit = std::string(limit),
                      .remedy = std::string(remedy)});
}

Lexer::Lexer(std::string_view text) : text_(text) {
  if (text.size() > std::numeric_limits<std::int32_t>::max())
    refuse({}, "a text may have 2 GiB", "pass one module only");
  next_ = scan();
}

Token Lexer::take() { return std::exchange(next_, scan()); }

bool Lexer::accept(char symbol) {
  if (!next_.is(symbol))
    return false;
  next_ = scan();
  return true;
}

bool Lexer::accept(std::string_view whole) {
  if (!next_.is(whole))
    return false;
  next_ = scan();
  return true;
}

void Lexer::expect(char symbol, std::string_view what) {
  if (!accept(symbol))
    refuse(next_, fmt::format("'{}' {} is expected", symbol, what), "mend the text");
}

Token Lexer::expect(Token::Kind kind, std::string_view what) {
  if (next_.kind != kind)
    refuse(next_, fmt::format("{} is expected", what), "mend the text");
  return take();
}

std::int64_t Lexer::expect_count(std::string_view what, std::int64_t most) {
  const Token token = expect(Token::Kind::number, what);
  const char* const begin = token.text.data();
  const char* const end = begin + token.text.size();
  std::int64_t value = 0;
  const auto [last, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || last != end || value > most)
    refuse(token, fmt::format("{} is a whole number up to {}", what, most), "mend the text");
  return value;
}

void Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (belongs(c, blank)) {
      line_ += c == '\n' ? 1 : 0;
      ++position_;
      continue;
    }
    const std::string_view two = text_.substr(position_, 2);
    if (two == "//") {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (two == "/*") {
      const std::size_t end = text_.find("*/", position_ + 2);
      if (end == std::string_view::npos)
        refuse({.kind = Token::Kind::symbol, .text = two, .line = line_}, "the comment does not end", "add its */");
      const std::string_view comment = text_.substr(position_, end - position_);
      line_ += static_cast<std::int32_t>(std::count(comment.begin(), comment.end(), '\n'));
      position_ = end + 2;
    } else {
      return;
    }
  }
}

Token Lexer::scan() {
  skip_blanks();
  if (position_ == text_.size())
    return {.kind = Token::Kind::end, .text = {}, .line = line_};
  const std::size_t first = position_;
  const auto more = [&](unsigned classes) { return position_ < text_.size() && belongs(text_[position_], classes); };
  const auto token = [&](Token::Kind kind) {
    return Token{.kind = kind, .text = text_.substr(first, position_ - first), .line = line_};
  };

  const char c = text_[position_++];
  if (belongs(c, symbol))
    return token(Token::Kind::symbol);
  if (belongs(c, letter) || c == '%') {
    while (more(letter | digit))
      ++position_;
    return token(Token::Kind::word);
  }
  if (c == '.') {
    // "::" ties a modifier to its level or space: ".L2::128B", ".mbarrier::complete_tx::bytes".
    while (more(letter | digit) || text_.substr(position_, 2) == "::")
      position_ += text_[position_] == ':' ? 2 : 1;
    if (position_ > first + 1)
      return token(Token::Kind::directive);
  }
  if (belongs(c, digit)) {
    // The sign of an exponent is the number's own; after 0x and its like an 'e' is a digit.
    const bool decimal = c != '0' || !more(letter);
    const auto signed_exponent = [&] {
      return decimal && (more(symbol) && (text_[position_] == '+' || text_[position_] == '-')) &&
             (text_[position_ - 1] == 'e' || text_[position_ - 1] == 'E');
    };
    while (more(letter | digit) || (decimal && text_.substr(position_, 1) == ".") || signed_exponent())
      ++position_;
    return token(Token::Kind::number);
  }
  if (c == '"') {
    const std::size_t end = text_.find_first_of("\"\n", position_);
    if (end == std::string_view::npos || text_[end] == '\n')
      refuse(token(Token::Kind::string), "the string does not end in its line", "add its quote");
    position_ = end + 1;
    return token(Token::Kind::string);
  }
  refuse(token(Token::Kind::symbol), "this begins nothing in PTX", "mend the text");
}

}  // namespace attentune::ptx
