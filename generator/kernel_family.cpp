#include "generator/kernel_family.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "generator/forward_host.h"
#include "generator/forward_mma.h"
#include "generator/forward_wgmma.h"

namespace attentune {
namespace {

// At least one; throws RefusalError with the closest family's reason.
std::vector<const KernelFamily*> serving(const Problem& problem, const Arch& arch) {
  if (const std::optional<Refusal> unsound = refusal(problem))
    throw RefusalError(*unsound);
  Refusal closest;
  std::vector<const KernelFamily*> families;
  for (const KernelFamily* family : kernel_families()) {
    std::optional<Refusal> reason = family->refusal(problem, arch);
    if (!reason) {
      families.push_back(family);
      continue;
    }
    // A family that stumbles over the arch is farther away than one that stumbles over a field of the problem.
    if (closest.field.empty() || closest.field == "arch")
      closest = *std::move(reason);
  }
  if (families.empty())
    throw RefusalError(closest);
  return families;
}

// By the predicted time of their defaults; of equals, as they stand.
std::vector<const KernelFamily*> fastest_first(const std::vector<const KernelFamily*>& families, const Problem& problem,
                                               const Arch& arch) {
  if (families.size() == 1)
    return families;
  std::vector<std::pair<double, std::size_t>> by_cost;
  for (std::size_t n = 0; n < families.size(); ++n) {
    const Config config = families[n]->default_config(problem, arch);
    by_cost.emplace_back(families[n]->resources(problem, arch, config).cost, n);
  }
  std::ranges::sort(by_cost);
  std::vector<const KernelFamily*> sorted;
  sorted.reserve(by_cost.size());
  for (const auto& [cost, n] : by_cost)
    sorted.push_back(families[n]);
  return sorted;
}

std::ptrdiff_t shared_names(const ConfigSpace& space, const Config& config) {
  return std::ranges::count_if(config.choices(), [&](const Choice& choice) {
    return std::ranges::find(space.dimensions(), choice.name, &ConfigSpace::Dimension::name) !=
           space.dimensions().end();
  });
}

}  // namespace

const std::vector<const KernelFamily*>& kernel_families() {
  static const ForwardHost forward_host;
  static const ForwardWgmma forward_wgmma;
  static const ForwardMma forward_mma;
  static const std::vector<const KernelFamily*> families{&forward_host, &forward_wgmma, &forward_mma};
  return families;
}

const KernelFamily* find_family(std::string_view name) {
  const auto& families = kernel_families();
  const auto found = std::find_if(families.begin(), families.end(), [&](const auto* f) { return f->name() == name; });
  return found == families.end() ? nullptr : *found;
}

bool is_served(const Problem& problem, const Arch& arch) {
  const auto& families = kernel_families();
  return !refusal(problem) &&
         std::any_of(families.begin(), families.end(), [&](const auto* f) { return !f->refusal(problem, arch); });
}

std::vector<const KernelFamily*> serving_families(const Problem& problem, const Arch& arch) {
  return fastest_first(serving(problem, arch), problem, arch);
}

const KernelFamily& family_for(const Problem& problem, const Arch& arch) {
  return *serving_families(problem, arch).front();
}

const KernelFamily& family_for(const Problem& problem, const Arch& arch, const Config& config) {
  std::vector<const KernelFamily*> meant;
  std::ptrdiff_t most = -1;
  for (const KernelFamily* family : serving(problem, arch)) {
    const std::ptrdiff_t shared = shared_names(family->space(problem, arch), config);
    if (shared > most)
      meant.clear();
    if (shared >= most)
      meant.push_back(family);
    most = std::max(most, shared);
  }
  return *fastest_first(meant, problem, arch).front();
}

}  // namespace attentune
