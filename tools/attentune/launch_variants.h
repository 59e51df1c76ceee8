// Launch choices to run one Binary with, so that all its code is met.
#pragma once

#include <vector>

#include "generator/config.h"

namespace attentune {

// The same code takes other ways with other launch choices: `config`, and as many points beside it as show the first
// three values of each launch choice. Compile choices are `config`'s. The points need not be of the space: those it
// leaves out as no help at the problem's lengths (more splits than tiles of keys) are right too, and they enter code
// that small problems would not enter otherwise.
[[nodiscard]] std::vector<Config> launch_variants(const ConfigSpace& space, const Config& config);

}  // namespace attentune
