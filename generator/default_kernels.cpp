#include "generator/default_kernels.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

namespace attentune {
namespace {

// family_of(problem): null where the workload is left out.
template <typename FamilyOf>
std::vector<DefaultKernel> distinct_kernels(const Arch& arch, const FamilyOf& family_of) {
  std::vector<DefaultKernel> kernels;
  std::set<std::string> texts;
  for (const Workload& row : workloads()) {
    for (NamedProblem& named : workload_problems(row.model, std::nullopt, std::nullopt)) {
      const KernelFamily* const family = family_of(named.problem);
      if (family == nullptr)
        continue;
      Config config = family->default_config(named.problem, arch);
      Source source = family->render(named.problem, arch, config);
      if (texts.insert(source.text).second)
        kernels.push_back({.named = std::move(named), .config = std::move(config), .source = std::move(source)});
    }
  }
  return kernels;
}

}  // namespace

std::vector<DefaultKernel> default_kernels(const Arch& arch) {
  return distinct_kernels(
      arch, [&](const Problem& problem) { return is_served(problem, arch) ? &family_for(problem, arch) : nullptr; });
}

std::vector<DefaultKernel> default_kernels(const KernelFamily& family, const Arch& arch) {
  return distinct_kernels(arch,
                          [&](const Problem& problem) { return family.refusal(problem, arch) ? nullptr : &family; });
}

}  // namespace attentune
