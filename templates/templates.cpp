#include "templates/templates.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace attentune::templates {

std::string_view text(const std::string_view name) {
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
