// The Source of a forward_mma Config: templates/cuda with constants, mask and score filled in.
#pragma once

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/problem.h"
#include "generator/source.h"

namespace attentune {

// Of a problem and a Config the family serves; the text depends on the problem's class and the compile choices alone.
[[nodiscard]] Source mma_source(const Problem& problem, const Arch& arch, const Config& config);

}  // namespace attentune
