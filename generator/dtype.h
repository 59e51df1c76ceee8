// Element types of the operands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace attentune {

enum class Dtype : std::uint8_t { f32, f16, bf16, e4m3, e5m2 };

// "f32", "f16", "bf16", "e4m3", "e5m2".
[[nodiscard]] std::string_view name(Dtype dtype) noexcept;
[[nodiscard]] std::optional<Dtype> parse_dtype(std::string_view text) noexcept;
// Bytes of one element.
[[nodiscard]] std::size_t size_of(Dtype dtype) noexcept;
// e4m3 and e5m2.
[[nodiscard]] bool is_fp8(Dtype dtype) noexcept;

}  // namespace attentune
