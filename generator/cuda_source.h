// The text of CUDA Sources: what every GPU family writes around its templates.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

// The first lines: where the text comes from and how to compile it by hand.
[[nodiscard]] std::string cuda_heading(std::string_view family, const Problem& problem, const Arch& arch,
                                       const Config& config);

// Enumerators, not constexpr variables: NVRTC would put those into global memory.
using CudaConstant = std::pair<std::string_view, std::int64_t>;
[[nodiscard]] std::string cuda_constants(std::span<const CudaConstant> constants);
// What a problem's class says, by the names the templates know.
[[nodiscard]] std::string cuda_problem_constants(const Problem& problem);

// Files of templates/, each below a line with its name.
[[nodiscard]] std::string cuda_files(std::span<const std::string_view> names);

// Mask and score as functions (expression.h, reading 4).
[[nodiscard]] std::string cuda_expressions(const Problem& problem);

}  // namespace attentune
