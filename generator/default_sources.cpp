#include "generator/default_sources.h"

#include <optional>
#include <set>
#include <utility>

#include "generator/workloads.h"

namespace attentune {

std::vector<NamedSource> default_sources(const KernelFamily& family, const Arch& arch) {
  std::vector<NamedSource> sources;
  std::set<std::string> texts;
  for (const Workload& row : workloads()) {
    for (NamedProblem& named : workload_problems(row.model, std::nullopt, std::nullopt)) {
      if (family.refusal(named.problem, arch))
        continue;
      Source source = family.render(named.problem, arch, family.default_config(named.problem, arch));
      if (texts.insert(source.text).second)
        sources.push_back({.name = std::move(named.name), .source = std::move(source)});
    }
  }
  return sources;
}

}  // namespace attentune
