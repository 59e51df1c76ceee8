#include "generator/kernel_family.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "generator/forward_host.h"
#include "generator/forward_mma.h"
#include "generator/forward_wgmma.h"

namespace attentune {
namespace {

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
  if (const std::optional<Refusal> unsound = refusal(problem))
    throw RefusalError(*unsound);
  Refusal closest;
  std::vector<const KernelFamily*> serving;
  for (const KernelFamily* family : kernel_families()) {
    std::optional<Refusal> reason = family->refusal(problem, arch);
    if (!reason) {
      serving.push_back(family);
      continue;
    }
    // A family that stumbles over the arch is farther away than one that stumbles over a field of the problem.
    if (closest.field.empty() || closest.field == "arch")
      closest = *std::move(reason);
  }
  if (serving.empty())
    throw RefusalError(closest);
  if (serving.size() == 1)
    return serving;

  std::vector<std::pair<double, std::size_t>> by_cost;
  for (std::size_t n = 0; n < serving.size(); ++n) {
    const Config config = serving[n]->default_config(problem, arch);
    by_cost.emplace_back(serving[n]->resources(problem, arch, config).cost, n);
  }
  std::ranges::sort(by_cost);
  std::vector<const KernelFamily*> fastest_first;
  for (const auto& [cost, n] : by_cost)
    fastest_first.push_back(serving[n]);
  return fastest_first;
}

const KernelFamily& family_for(const Problem& problem, const Arch& arch) {
  return *serving_families(problem, arch).front();
}

const KernelFamily& family_for(const Problem& problem, const Arch& arch, const Config& config) {
  const std::vector<const KernelFamily*> families = serving_families(problem, arch);
  return **std::ranges::max_element(
      families, {}, [&](const KernelFamily* family) { return shared_names(family->space(problem, arch), config); });
}

}  // namespace attentune
