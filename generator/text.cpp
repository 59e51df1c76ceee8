#include "generator/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/error.h"

namespace attentune {

std::optional<std::pair<std::int64_t, std::int64_t>> parse_pair(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    const auto both = parse_number<std::int64_t>(text);
    if (!both)
      return std::nullopt;
    return std::pair{*both, *both};
  }
  const auto first = parse_number<std::int64_t>(text.substr(0, slash));
  const auto second = parse_number<std::int64_t>(text.substr(slash + 1));
  if (!first || !second)
    return std::nullopt;
  return std::pair{*first, *second};
}

std::string pair_text(std::int64_t a, std::int64_t b) {
  return a == b ? fmt::format("{}", a) : fmt::format("{}/{}", a, b);
}

namespace {

constexpr std::string_view blanks = " \t";

bool joins(char c) { return c == '&' || c == '|'; }

// Where an unquoted value that begins at `at` ends.
std::size_t end_of_word(std::string_view text, std::size_t at) {
  return std::min(text.find_first_of(blanks, at), text.size());
}

bool begins_field(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_of("= \t(", at);
  return end != std::string_view::npos && text[end] == '=';
}

// npos: a parenthesis is open to the end.
std::size_t end_of_expression(std::string_view text, std::size_t at) {
  int open = 0;
  for (; at < text.size(); ++at) {
    open += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (blanks.find(text[at]) == std::string_view::npos || open > 0)
      continue;
    const std::size_t next = text.find_first_not_of(blanks, at);
    if (next == std::string_view::npos || !(joins(text[next]) || joins(text[at - 1])))
      return at;
    // "causal()& seq=40": the operator waits for a term and the next field is none.
    if (begins_field(text, next))
      return at;
    at = next - 1;
  }
  return open > 0 ? std::string_view::npos : at;
}

std::vector<Word> split(std::string_view text, std::string_view what, const auto& end_of_value) {
  std::vector<Word> words;
  const auto refuse = [&](std::string_view limit, std::string_view remedy) {
    throw RefusalError({std::string(what), shown(text), std::string(limit), std::string(remedy)});
  };
  std::size_t at = 0;
  while (at < text.size()) {
    if (blanks.find(text[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    const std::size_t equals = text.find_first_of("= \t", at);
    if (equals == std::string_view::npos || text[equals] != '=') {
      const std::string_view word = text.substr(at, equals == std::string_view::npos ? equals : equals - at);
      refuse(fmt::format("the word \"{}\" has no '='", shown(word)), "write every field as name=value");
    }
    Word word{.name = std::string(text.substr(at, equals - at)), .value = {}};
    at = equals + 1;
    if (at < text.size() && (text[at] == '\'' || text[at] == '"')) {
      const std::size_t close = text.find(text[at], at + 1);
      if (close == std::string_view::npos)
        refuse("a quote is not closed", "close it or leave the quotes out");
      word.value = text.substr(at + 1, close - at - 1);
      at = close + 1;
    } else {
      const std::size_t end = end_of_value(text, at);
      if (end == std::string_view::npos)
        refuse("a parenthesis is not closed", "close it");
      word.value = text.substr(at, end - at);
      at = end;
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

std::vector<Word> split_words(std::string_view text, std::string_view what) { return split(text, what, end_of_word); }

std::vector<Word> split_fields(std::string_view text, std::string_view what) {
  return split(text, what, end_of_expression);
}

std::string shown(std::string_view text) {
  std::string result(text.substr(0, 80));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  }
  if (text.size() > 80)
    result += "...";
  return result;
}

}  // namespace attentune
