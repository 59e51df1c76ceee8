// Whole-number arithmetic that the language lacks.
#pragma once

#include <cstdint>

namespace attentune {

// a / b rounded up; a >= 0, b > 0.
[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }
// a rounded up to a multiple of b.
[[nodiscard]] constexpr std::int64_t align_up(std::int64_t a, std::int64_t b) noexcept { return ceil_div(a, b) * b; }

}  // namespace attentune
