#include <algorithm>

#include <fmt/format.h>

#include "generator/config.h"
#include "generator/error.h"

namespace attentune {

void ConfigSpace::add(Dimension dimension) { dimensions_.push_back(std::move(dimension)); }

void ConfigSpace::require(std::string_view last, Rule rule) {
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].name == last) {
      rules_.push_back({d, std::move(rule)});
      return;
    }
  }
  throw Error(Status::internal, fmt::format("a rule names the unknown dimension {}", last));
}

std::uint64_t ConfigSpace::raw_size() const noexcept {
  std::uint64_t size = 1;
  for (const Dimension& dimension : dimensions_) size *= dimension.values.size();
  return size;
}

void ConfigSpace::for_each(const std::function<bool(const Config&)>& visit) const {
  // Depth first over prefixes; a prefix that breaks a rule is never extended.
  const std::function<bool(std::vector<Choice>)> descend = [&](std::vector<Choice> prefix) {
    const std::size_t depth = prefix.size();
    if (depth == dimensions_.size()) return visit(Config(std::move(prefix)));
    for (const std::string& value : dimensions_[depth].values) {
      std::vector<Choice> next = prefix;
      next.push_back({dimensions_[depth].name, value, dimensions_[depth].kind});
      const Config partial(next);
      const bool feasible = std::all_of(rules_.begin(), rules_.end(), [&](const BoundRule& bound) {
        return bound.depth != depth || bound.rule(partial);
      });
      if (feasible && !descend(std::move(next))) return false;
    }
    return true;
  };
  if (!dimensions_.empty()) descend({});
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
        return fmt::format("a rule forbids {}", to_text(partial));
      }
    }
  }
  return std::nullopt;
}

}  // namespace attentune
