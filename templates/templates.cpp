#include "templates/templates.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace attentune::templates {
namespace {

std::map<std::string, std::string, std::less<>>& replacements() {
  static std::map<std::string, std::string, std::less<>> texts;
  return texts;
}

}  // namespace

void replace(const std::string_view name, std::string text) {
  replacements().insert_or_assign(std::string(name), std::move(text));
}

std::string_view text(const std::string_view name) {
  if (const auto found = replacements().find(name); found != replacements().end()) {
    return found->second;
  }
  const auto all = entries();
  const auto found = std::ranges::find(all, name, &Entry::name);
  if (found != all.end()) {
    return found->text;
  }
  std::string message = "no embedded template '" + std::string(name) + "'; there are:";
  for (const Entry& entry : all) {
    message += ' ';
    message += entry.name;
  }
  throw std::out_of_range(message);
}

}  // namespace attentune::templates
