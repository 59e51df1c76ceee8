#include "generator/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/text.h"

namespace attentune {
namespace {

bool is_name(std::string_view text) {
  if (text.empty() || text.front() < 'a' || text.front() > 'z')
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_value(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '+' || c == '-';
  });
}

void append_choices(std::string& text, const std::vector<Choice>& choices, ChoiceKind kind) {
  for (const Choice& choice : choices) {
    if (choice.kind != kind)
      continue;
    if (!text.empty())
      text += ' ';
    text += fmt::format("{}={}", choice.name, choice.value);
  }
}

[[noreturn]] void refuse(std::string_view text, std::string limit) {
  throw RefusalError({"config", shown(text), std::move(limit), "write it as `attentune space` prints it"});
}

}  // namespace

void Config::add(std::string name, std::string value, ChoiceKind kind) {
  choices_.push_back({std::move(name), std::move(value), kind});
}

const std::string& Config::word(std::string_view name) const {
  for (const Choice& choice : choices_) {
    if (choice.name == name)
      return choice.value;
  }
  throw Error(Status::internal, fmt::format("the config \"{}\" has no choice {}", to_text(*this), name));
}

std::int64_t Config::integer(std::string_view name) const {
  const auto value = parse_number<std::int64_t>(word(name));
  if (!value)
    throw Error(Status::internal, fmt::format("the choice {}={} is no whole number", name, word(name)));
  return *value;
}

std::int64_t Config::integer_or(std::string_view name, std::int64_t otherwise) const {
  const bool has = std::ranges::any_of(choices_, [&](const Choice& choice) { return choice.name == name; });
  return has ? integer(name) : otherwise;
}

Config Config::with(std::string_view name, std::string value) const {
  static_cast<void>(word(name));
  Config changed = *this;
  std::ranges::find(changed.choices_, name, &Choice::name)->value = std::move(value);
  return changed;
}

std::string Config::compile_text() const {
  std::string text;
  append_choices(text, choices_, ChoiceKind::compile);
  return text;
}

std::string to_text(const Config& config) {
  std::string launch;
  append_choices(launch, config.choices(), ChoiceKind::launch);
  std::string text = config.compile_text();
  if (!launch.empty())
    text += (text.empty() ? "| " : " | ") + launch;
  return text;
}

Config parse_config(std::string_view text) {
  Config config;
  const std::size_t bar = text.find('|');
  if (bar != std::string_view::npos && text.find('|', bar + 1) != std::string_view::npos) {
    refuse(text, "it has more than one |");
  }
  const auto add = [&](std::string_view part, ChoiceKind kind) {
    for (Word& word : split_words(part, "config")) {
      if (!is_name(word.name) || !is_value(word.value))
        refuse(text, fmt::format("{}={} is no choice", shown(word.name), shown(word.value)));
      const auto same = [&](const Choice& choice) { return choice.name == word.name; };
      if (std::any_of(config.choices().begin(), config.choices().end(), same)) {
        refuse(text, fmt::format("{} is given twice", word.name));
      }
      config.add(std::move(word.name), std::move(word.value), kind);
    }
  };
  add(text.substr(0, bar), ChoiceKind::compile);
  if (bar != std::string_view::npos)
    add(text.substr(bar + 1), ChoiceKind::launch);
  return config;
}

}  // namespace attentune
