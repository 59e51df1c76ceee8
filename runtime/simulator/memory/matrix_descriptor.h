// Matrix descriptors of wgmma, and where the chunks of 16 bytes lie that a product reads.
// Source: PTX ISA 9.0, section 9.7.15.5.1.2 (layouts, strides, descriptor format).
#pragma once

#include <cstdint>
#include <string>

namespace attentune::simulator {

struct MatrixDescriptor {
  std::uint32_t start = 0;    // bytes, as are the offsets
  std::uint32_t leading = 0;  // leading dimension byte offset
  std::uint32_t stride = 0;   // stride dimension byte offset
  std::uint32_t base_offset = 0;
  int swizzle = 0;             // 0, 32, 64, 128
  std::uint64_t reserved = 0;  // the bits that have no meaning

  bool operator==(const MatrixDescriptor&) const = default;
};

[[nodiscard]] MatrixDescriptor decode_descriptor(std::uint64_t bits) noexcept;

// What is wrong with it, "" when nothing is: reserved bits, a base offset, a pattern that does not begin where its
// swizzle wants.
[[nodiscard]] std::string defect(const MatrixDescriptor& descriptor);

// The shared address of one chunk of an operand of 32 bytes along k. K-major: row `row` of M or N, chunk 0 or 1 of k.
[[nodiscard]] std::uint64_t k_major_chunk(const MatrixDescriptor& descriptor, std::uint32_t row,
                                          std::uint32_t chunk) noexcept;
// MN-major, 16-bit elements: row `k`, chunk `chunk` of eight elements of M or N.
[[nodiscard]] std::uint64_t mn_major_chunk(const MatrixDescriptor& descriptor, std::uint32_t k,
                                           std::uint32_t chunk) noexcept;

}  // namespace attentune::simulator
