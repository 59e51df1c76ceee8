// Config: one point of a family's space; ConfigSpace: all of them, enumerated lazily.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// compile choices enter Source and the binary key; launch choices only the launch.
enum class ChoiceKind : std::uint8_t { compile, launch };

struct Choice {
  std::string name;   // [a-z][a-z0-9_]*
  std::string value;  // [a-z0-9_.+-]+
  ChoiceKind kind = ChoiceKind::compile;

  bool operator==(const Choice&) const = default;
};

// Ordered choices. Text, both ways: compile choices, then launch choices behind a "|":
//   "tile_m=96 tile_n=128 micro=6x4 pack=k | grain=1"
class Config {
 public:
  Config() = default;
  explicit Config(std::vector<Choice> choices) : choices_(std::move(choices)) {}

  [[nodiscard]] const std::vector<Choice>& choices() const noexcept { return choices_; }
  void add(std::string name, std::string value, ChoiceKind kind);
  // Takes the last choice away; there must be one.
  void remove_last() { choices_.pop_back(); }
  // The value; throws Error(internal) when the Config has no such choice.
  [[nodiscard]] const std::string& word(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  // `otherwise` when the Config has no such choice: rules see Configs whose last choices are still to come.
  [[nodiscard]] std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
  // The same Config but for one choice. Throws Error(internal) when it has no such choice.
  [[nodiscard]] Config with(std::string_view name, std::string value) const;
  // Text of the compile choices only: the Config's part of the binary key.
  [[nodiscard]] std::string compile_text() const;

  bool operator==(const Config&) const = default;

 private:
  std::vector<Choice> choices_;
};

[[nodiscard]] std::string to_text(const Config& config);
// Throws RefusalError for malformed text; says nothing about any space.
[[nodiscard]] Config parse_config(std::string_view text);

// Numbers as the values of a Dimension.
template <typename Numbers>
[[nodiscard]] std::vector<std::string> words(const Numbers& numbers) {
  std::vector<std::string> result;
  result.reserve(std::size(numbers));
  for (const auto number : numbers)
    result.push_back(std::to_string(number));
  return result;
}

// Names, values and rules of a space. A rule sees a partial Config that holds the first n choices, in order, and
// returns false to prune everything below it, so a space is never built whole.
class ConfigSpace {
 public:
  struct Dimension {
    std::string name;
    ChoiceKind kind = ChoiceKind::compile;
    std::vector<std::string> values;  // in order of preference does not matter; order is the enumeration's
    std::string meaning;              // one phrase for `attentune space`
  };
  using Rule = std::function<bool(const Config& prefix)>;

  void add(Dimension dimension);
  // `last` names the dimension after which the rule can be decided; `needs` is what its value then needs, for who is
  // refused it.
  void require(std::string_view last, std::string needs, Rule rule);

  [[nodiscard]] const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }
  // Product of the dimension sizes, before rules.
  [[nodiscard]] std::uint64_t raw_size() const noexcept;
  // Calls visit for every feasible Config in lexicographic order until it returns false.
  void for_each(const std::function<bool(const Config&)>& visit) const;
  [[nodiscard]] std::uint64_t feasible_size() const;
  // Is config exactly one feasible point of this space? The reason when it is not.
  [[nodiscard]] std::optional<std::string> why_not(const Config& config) const;

 private:
  struct BoundRule {
    std::size_t depth;
    std::string needs;
    Rule rule;
  };
  std::vector<Dimension> dimensions_;
  std::vector<BoundRule> rules_;
};

}  // namespace attentune
