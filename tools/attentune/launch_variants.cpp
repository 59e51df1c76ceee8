#include "tools/attentune/launch_variants.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace attentune {

std::vector<Config> launch_variants(const ConfigSpace& space, const Config& config) {
  constexpr std::size_t variants = 3;
  std::vector<Config> configs{config};
  for (std::size_t variant = 0; variant < variants; ++variant) {
    Config other;
    for (const ConfigSpace::Dimension& dimension : space.dimensions()) {
      const bool launch = dimension.kind == ChoiceKind::launch;
      other.add(dimension.name,
                launch ? dimension.values[variant % dimension.values.size()] : config.word(dimension.name),
                dimension.kind);
    }
    if (std::ranges::find(configs, other) == configs.end())
      configs.push_back(std::move(other));
  }
  return configs;
}

}  // namespace attentune
