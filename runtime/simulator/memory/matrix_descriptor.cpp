#include "runtime/simulator/memory/matrix_descriptor.h"

#include <array>

#include <fmt/format.h>

#include "runtime/simulator/memory/swizzle.h"

namespace attentune::simulator {

namespace {

// matrix-descriptor-encode(x) = (x & 0x3FFFF) >> 4, undone.
constexpr std::uint32_t decoded(std::uint64_t bits, int position) noexcept {
  return static_cast<std::uint32_t>(bits >> position & 0x3FFF) << 4;
}

// Bits 14-15, 30-31, 46-48 and 52-61.
constexpr std::uint64_t reserved_bits =
    std::uint64_t{3} << 14 | std::uint64_t{3} << 30 | std::uint64_t{7} << 46 | std::uint64_t{0x3FF} << 52;

}  // namespace

MatrixDescriptor decode_descriptor(std::uint64_t bits) noexcept {
  constexpr std::array<int, 4> swizzles{0, 128, 64, 32};
  return {.start = decoded(bits, 0),
          .leading = decoded(bits, 16),
          .stride = decoded(bits, 32),
          .base_offset = static_cast<std::uint32_t>(bits >> 49 & 7),
          .swizzle = swizzles[bits >> 62],
          .reserved = bits & reserved_bits};
}

std::string defect(const MatrixDescriptor& descriptor) {
  if (descriptor.reserved != 0)
    return fmt::format("its reserved bits {:#x} are set", descriptor.reserved);
  // The ISA gives the value of the field and not what the hardware does with it.
  if (descriptor.base_offset != 0)
    return fmt::format("its base offset is {}, and only 0 is served: begin the pattern at a multiple of {} bytes",
                       descriptor.base_offset, 8 * descriptor.swizzle);
  // A start inside the first line of a pattern is a step along it; one in another line is not the begin of one.
  const auto span = static_cast<std::uint32_t>(descriptor.swizzle);
  if (span != 0 && descriptor.start % (8 * span) >= span)
    return fmt::format("its pattern begins at {:#x}, which is no multiple of {} bytes, and its base offset is 0",
                       descriptor.start / span * span, 8 * span);
  return "";
}

std::uint64_t k_major_chunk(const MatrixDescriptor& d, std::uint32_t row, std::uint32_t chunk) noexcept {
  if (d.swizzle == 0)
    return d.start + std::uint64_t{row / 8} * d.stride + std::uint64_t{chunk} * d.leading + row % 8 * 16;
  const auto span = static_cast<std::uint32_t>(d.swizzle);
  return swizzled(d.start + std::uint64_t{row / 8} * d.stride + row % 8 * span + chunk * 16, d.swizzle);
}

std::uint64_t mn_major_chunk(const MatrixDescriptor& d, std::uint32_t k, std::uint32_t chunk) noexcept {
  if (d.swizzle == 0)
    return d.start + std::uint64_t{chunk} * d.stride + std::uint64_t{k / 8} * d.leading + k % 8 * 16;
  const auto span = static_cast<std::uint32_t>(d.swizzle);
  const std::uint32_t chunks = span / 16;
  return swizzled(d.start + std::uint64_t{chunk / chunks} * d.leading + std::uint64_t{k / 8} * d.stride + k % 8 * span +
                      chunk % chunks * 16,
                  d.swizzle);
}

}  // namespace attentune::simulator
