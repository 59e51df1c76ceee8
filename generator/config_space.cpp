#include <algorithm>

#include <fmt/format.h>

#include "generator/config.h"
#include "generator/error.h"

namespace attentune {

void ConfigSpace::add(Dimension dimension) { dimensions_.push_back(std::move(dimension)); }

void ConfigSpace::require(std::string_view last, std::string needs, Rule rule) {
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].name == last) {
      rules_.push_back({d, std::move(needs), std::move(rule)});
      return;
    }
  }
  throw Error(Status::internal, fmt::format("a rule names the unknown dimension {}", last));
}

std::uint64_t ConfigSpace::raw_size() const noexcept {
  std::uint64_t size = 1;
  for (const Dimension& dimension : dimensions_)
    size *= dimension.values.size();
  return size;
}

void ConfigSpace::for_each(const std::function<bool(const Config&)>& visit) const {
  // Depth first over prefixes, in one Config that grows and shrinks; a prefix that breaks a rule is never extended.
  Config prefix;
  const auto feasible = [&](std::size_t depth) {
    return std::all_of(rules_.begin(), rules_.end(),
                       [&](const BoundRule& bound) { return bound.depth != depth || bound.rule(prefix); });
  };
  const auto descend = [&](const auto& self, std::size_t depth) -> bool {
    if (depth == dimensions_.size())
      return visit(prefix);
    const Dimension& dimension = dimensions_[depth];
    for (const std::string& value : dimension.values) {
      prefix.add(dimension.name, value, dimension.kind);
      const bool go_on = !feasible(depth) || self(self, depth + 1);
      prefix.remove_last();
      if (!go_on)
        return false;
    }
    return true;
  };
  if (!dimensions_.empty())
    descend(descend, 0);
}

std::uint64_t ConfigSpace::feasible_size() const {
  std::uint64_t count = 0;
  for_each([&](const Config&) {
    ++count;
    return true;
  });
  return count;
}

std::optional<std::string> ConfigSpace::why_not(const Config& config) const {
  const std::vector<Choice>& choices = config.choices();
  if (choices.size() != dimensions_.size()) {
    return fmt::format("it has {} choices, the space has {}", choices.size(), dimensions_.size());
  }
  std::vector<Choice> prefix;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const Dimension& dimension = dimensions_[d];
    if (choices[d].name != dimension.name || choices[d].kind != dimension.kind) {
      return fmt::format("choice {} is {}, expected {}", d + 1, choices[d].name, dimension.name);
    }
    if (std::find(dimension.values.begin(), dimension.values.end(), choices[d].value) == dimension.values.end()) {
      return fmt::format("{}={} is not one of {}", dimension.name, choices[d].value, fmt::join(dimension.values, " "));
    }
    prefix.push_back(choices[d]);
    const Config partial(prefix);
    for (const BoundRule& bound : rules_) {
      if (bound.depth == d && !bound.rule(partial)) {
        return fmt::format("{}={} needs {}", dimension.name, choices[d].value, bound.needs);
      }
    }
  }
  return std::nullopt;
}

}  // namespace attentune
