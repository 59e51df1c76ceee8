// What no kernel family for GPUs serves yet, in one place.
#pragma once

#include <optional>
#include <string_view>

#include "generator/error.h"
#include "generator/problem.h"

namespace attentune {

// Pass, layout, dtypes, alignment, head dims and lengths. Nothing when all of them are served; `family` is named in the
// reason.
[[nodiscard]] std::optional<Refusal> gpu_refusal(std::string_view family, const Problem& problem);

}  // namespace attentune
