// What a tensor map says, and the simulator's own 128 bytes for it; those of the driver are not documented.
// Source: CUDA driver API, cuTensorMapEncodeTiled; PTX ISA 9.0, section 5.5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace attentune::simulator {

// The values are those of CUtensorMapDataType.
enum class TensorElement : std::uint8_t { u8, u16, u32, s32, u64, s64, f16, f32, f64, bf16 };
[[nodiscard]] std::size_t bytes_of(TensorElement element) noexcept;

struct TensorMapFields {
  static constexpr std::size_t most_dimensions = 5;

  std::uint64_t address = 0;
  TensorElement element = TensorElement::u8;                       // u8 for fp8
  std::uint32_t rank = 1;                                          // 1 to 5
  std::array<std::uint64_t, most_dimensions> size{};               // elements, innermost first
  std::array<std::uint64_t, most_dimensions - 1> stride_bytes{};   // of the dimensions after the innermost
  std::array<std::uint32_t, most_dimensions> box{};                // elements
  std::array<std::uint32_t, most_dimensions> step{1, 1, 1, 1, 1};  // elementStrides; the innermost one is not used
  int swizzle_bytes = 0;                                           // 0, 32, 64, 128
  bool nan_fill = false;                                           // of elements out of bounds; otherwise zeros

  bool operator==(const TensorMapFields&) const = default;
};

// Why the driver would refuse it, "" when it would not.
[[nodiscard]] std::string defect(const TensorMapFields& map);

using EncodedTensorMap = std::array<std::byte, 128>;
[[nodiscard]] EncodedTensorMap encode(const TensorMapFields& map) noexcept;
// Nothing: these bytes are none of encode()'s.
[[nodiscard]] std::optional<TensorMapFields> decode_tensor_map(std::span<const std::byte, 128> bytes) noexcept;

}  // namespace attentune::simulator
