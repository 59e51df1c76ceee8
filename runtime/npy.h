// .npy files (NumPy format, versions 1.0 and 2.0), read and written strictly: little endian, C order, and the four
// element types attentune speaks. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generator/dtype.h"

namespace attentune {

enum class NpyType : std::uint8_t { f4, f2, u2, u1 };

struct NpyArray {
  NpyType type = NpyType::f4;
  std::vector<std::int64_t> shape;  // [] is one element
  std::vector<std::uint8_t> bytes;  // elements in C order, little endian

  bool operator==(const NpyArray&) const = default;
};

// '<f4', '<f2', '<u2', '|u1'.
[[nodiscard]] std::string_view name(NpyType type) noexcept;
[[nodiscard]] std::size_t size_of(NpyType type) noexcept;
// How a dtype travels: f32 as <f4, f16 as <f2, bf16 as raw <u2, fp8 as raw |u1.
[[nodiscard]] NpyType npy_type(Dtype dtype) noexcept;

// Bytes to array. Throws RefusalError that says what was found and what to do; `origin` names the file in it.
[[nodiscard]] NpyArray parse_npy(std::span<const std::uint8_t> bytes, std::string_view origin);
// Array to bytes, version 1.0 (2.0 when the header needs it). parse_npy(format_npy(a)) == a.
[[nodiscard]] std::vector<std::uint8_t> format_npy(const NpyArray& array);

// Whole files. Reading throws Error(refused) for a file that is missing or malformed; writing is that of write_file.h.
[[nodiscard]] NpyArray read_npy(const std::string& path);
void write_npy(const std::string& path, const NpyArray& array);

// Throws RefusalError unless the array holds exactly this dtype and shape; `origin` as above.
void require_npy(const NpyArray& array, std::string_view origin, Dtype dtype, std::span<const std::int64_t> shape);

}  // namespace attentune
