// Small parsers shared by the value types' text forms.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attentune {

// The whole of `text` as a decimal number, or nothing.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

// "a/b" or "a" (= a/a), both decimal integers; nothing when malformed.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> parse_pair(std::string_view text) noexcept;
// The inverse: "a" when both are equal.
[[nodiscard]] std::string pair_text(std::int64_t a, std::int64_t b);

// A name=value word.
struct Word {
  std::string name;
  std::string value;
};
// Splits at spaces and tabs; a value may be quoted with ' or " (no escapes). `what` names the text in refusals
// ("problem"). Throws RefusalError for a word without '=' or an unclosed quote.
[[nodiscard]] std::vector<Word> split_words(std::string_view text, std::string_view what);
// The same where values may be expressions: blanks inside parentheses and beside & or | belong to them, as in
// "mask=causal() & sink(4)". Also refuses an unclosed parenthesis.
[[nodiscard]] std::vector<Word> split_fields(std::string_view text, std::string_view what);

// text, cut to 80 characters for messages; control characters become '?'.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace attentune
