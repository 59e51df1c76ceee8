#include "runtime/rendering.h"

#include "generator/error.h"
#include "generator/key.h"

namespace attentune {

Rendering render(const KernelFamily& family, const Problem& problem, const Config& config, const Arch& arch,
                 const Compiler& compiler) {
  Rendering rendering{.family = &family, .problem = problem, .config = config, .source = {}, .key = {}};
  rendering.source = family.render(problem, arch, config);
  rendering.key =
      binary_key(problem, arch, family.name(), config, rendering.source, compiler.name(), compiler.options());
  return rendering;
}

std::optional<Rendering> render(const Winner& winner, const Problem& problem, const Arch& arch,
                                const Compiler& compiler) {
  const KernelFamily* const family = find_family(winner.measurement.family);
  if (family == nullptr || family->refusal(problem, arch)) {
    return std::nullopt;
  }
  try {
    const Config config = parse_config(winner.measurement.config);
    if (family->space(problem, arch).why_not(config)) {
      return std::nullopt;
    }
    return render(*family, problem, config, arch, compiler);
  } catch (const RefusalError&) {
    return std::nullopt;
  }
}

bool is_current(const Winner& winner, const std::optional<Rendering>& rendering) {
  return rendering && rendering->key == winner.measurement.binary_key;
}

}  // namespace attentune
