#include "runtime/simulator/memory/tensor_map.h"

#include <cstring>

#include <fmt/format.h>

namespace attentune::simulator {

namespace {

constexpr std::uint64_t magic = 0x70616D'6E65'74'01;  // "\x01tenmap", so that stray bytes are seen

// Field by field, without the padding of a struct: sizes less one fit 32 bits (they go up to 2^32).
template <class Visitor>
void visit(TensorMapFields& map, std::array<std::uint32_t, 5>& size_less_one, Visitor&& field) {
  auto nan_fill = static_cast<std::uint8_t>(map.nan_fill);
  field(map.address);
  field(map.element);
  field(map.rank);
  field(size_less_one);
  field(map.stride_bytes);
  field(map.swizzle_bytes);
  field(nan_fill);
  std::array<std::uint16_t, 5> box{};
  std::array<std::uint8_t, 5> step{};
  for (std::size_t i = 0; i < 5; ++i) {
    box[i] = static_cast<std::uint16_t>(map.box[i]);
    step[i] = static_cast<std::uint8_t>(map.step[i]);
  }
  field(box);
  field(step);
  for (std::size_t i = 0; i < 5; ++i) {
    map.box[i] = box[i];
    map.step[i] = step[i];
  }
  map.nan_fill = nan_fill != 0;
}

}  // namespace

std::size_t bytes_of(TensorElement element) noexcept {
  switch (element) {
    case TensorElement::u8:
      return 1;
    case TensorElement::u16:
    case TensorElement::f16:
    case TensorElement::bf16:
      return 2;
    case TensorElement::u32:
    case TensorElement::s32:
    case TensorElement::f32:
      return 4;
    case TensorElement::u64:
    case TensorElement::s64:
    case TensorElement::f64:
      break;
  }
  return 8;
}

std::string defect(const TensorMapFields& map) {
  if (map.rank < 1 || map.rank > TensorMapFields::most_dimensions)
    return fmt::format("{} dimensions; there are 1 to 5", map.rank);
  if (map.address % 16 != 0)
    return fmt::format("its address {:#x} is not a multiple of 16", map.address);
  for (std::size_t i = 0; i < map.rank; ++i) {
    if (map.size[i] < 1 || map.size[i] > std::uint64_t{1} << 32)
      return fmt::format("{} elements in dimension {}; 1 to 2^32 are allowed", map.size[i], i);
    if (map.box[i] < 1 || map.box[i] > 256)
      return fmt::format("a box of {} elements in dimension {}; 1 to 256 are allowed", map.box[i], i);
    if (map.step[i] < 1 || map.step[i] > 8)
      return fmt::format("an element stride of {} in dimension {}; 1 to 8 are allowed", map.step[i], i);
    if (i > 0 && (map.stride_bytes[i - 1] % 16 != 0 || map.stride_bytes[i - 1] >= std::uint64_t{1} << 40))
      return fmt::format("a stride of {} bytes in dimension {}; multiples of 16 below 2^40 are allowed",
                         map.stride_bytes[i - 1], i);
  }
  const std::size_t inner = map.box[0] * bytes_of(map.element);
  if (inner % 16 != 0)
    return fmt::format("a box of {} bytes in its innermost dimension, which is no multiple of 16", inner);
  const int swizzle = map.swizzle_bytes;
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128)
    return fmt::format("a swizzle of {} bytes", swizzle);
  if (swizzle != 0 && inner > static_cast<std::size_t>(swizzle))
    return fmt::format("a box of {} bytes in its innermost dimension, wider than its swizzle of {}", inner, swizzle);
  return "";
}

EncodedTensorMap encode(const TensorMapFields& map) noexcept {
  EncodedTensorMap bytes{};
  std::memcpy(bytes.data(), &magic, sizeof magic);
  std::size_t at = sizeof magic;
  std::array<std::uint32_t, 5> size_less_one{};
  for (std::size_t i = 0; i < map.rank; ++i)
    size_less_one[i] = static_cast<std::uint32_t>(map.size[i] - 1);
  TensorMapFields copy = map;
  visit(copy, size_less_one, [&](const auto& field) {
    std::memcpy(bytes.data() + at, &field, sizeof field);
    at += sizeof field;
  });
  return bytes;
}

std::optional<TensorMapFields> decode_tensor_map(std::span<const std::byte, 128> bytes) noexcept {
  if (std::memcmp(bytes.data(), &magic, sizeof magic) != 0)
    return std::nullopt;
  std::size_t at = sizeof magic;
  TensorMapFields map;
  std::array<std::uint32_t, 5> size_less_one{};
  visit(map, size_less_one, [&](auto& field) {
    std::memcpy(&field, bytes.data() + at, sizeof field);
    at += sizeof field;
  });
  for (std::size_t i = 0; i < map.rank && i < 5; ++i)
    map.size[i] = std::uint64_t{size_less_one[i]} + 1;
  return map;
}

}  // namespace attentune::simulator
