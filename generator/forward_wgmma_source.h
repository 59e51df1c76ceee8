// The Source of a forward_wgmma Config: templates/cuda with constants, mask, score and instructions filled in.
#pragma once

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/problem.h"
#include "generator/source.h"

namespace attentune {

// Of a problem and a Config the family serves; the text depends on the problem's class and the compile choices alone.
[[nodiscard]] Source wgmma_source(const Problem& problem, const Arch& arch, const Config& config);

}  // namespace attentune
