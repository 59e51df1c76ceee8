// Fragments: which element of a matrix lies where in the registers of a warp.
// Source: PTX ISA 9.0, sections 9.7.14.5.6 to 9.7.14.5.10 (mma) and 9.7.15.5.1.1 (wgmma).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace attentune::numerics {

using Lanes = std::array<std::uint32_t, 32>;  // one 32-bit register of every lane of a warp

enum class MatrixType : std::uint8_t { f16, bf16, tf32, e4m3, e5m2 };

[[nodiscard]] constexpr int bits_of(MatrixType type) noexcept {
  return type == MatrixType::tf32 ? 32 : type == MatrixType::f16 || type == MatrixType::bf16 ? 16 : 8;
}

[[nodiscard]] constexpr int elements_per_register(MatrixType type) noexcept { return 32 / bits_of(type); }

struct Place {
  int row = 0;
  int column = 0;

  constexpr bool operator==(const Place&) const = default;
};

// The tables of the ISA differ in the element's width alone, so `per_register` (1, 2 or 4) stands for the type.
// `element` counts from the register's low bits.

// A, 16 x k: registers 0 and 1 hold rows l/4 and l/4 + 8 of the first half of k, registers 2 and 3 of the second.
[[nodiscard]] constexpr Place place_in_a(int per_register, int reg, int lane, int element) noexcept {
  return {.row = lane / 4 + 8 * (reg & 1), .column = per_register * (lane % 4 + 4 * (reg >> 1)) + element};
}

// B, k x 8: a row is an index of k.
[[nodiscard]] constexpr Place place_in_b(int per_register, int reg, int lane, int element) noexcept {
  return {.row = per_register * (lane % 4 + 4 * reg) + element, .column = lane / 4};
}

// C and D, 16 x n, element i of a lane: register i of f32, half i % 2 of register i / 2 of f16. Wider than 8 columns
// (wgmma), the next four elements are those of the next 8 columns.
[[nodiscard]] constexpr Place place_in_d(int lane, int i) noexcept {
  return {.row = lane / 4 + 8 * (i >> 1 & 1), .column = 8 * (i >> 2) + 2 * (lane % 4) + (i & 1)};
}

// `out.size()` elements, packed as in memory, as floats; tf32 without the bits it ignores.
void decode_elements(MatrixType type, std::span<const std::byte> packed, std::span<float> out) noexcept;

// The matrix A of 2 or 4 registers, 16 x k row-major, and B of 1 or 2, k x 8 row-major, as floats.
// k = 2 * per_register * a.size() = 4 * per_register * b.size().
void decode_a(MatrixType type, std::span<const Lanes> a, std::span<float> matrix) noexcept;
void decode_b(MatrixType type, std::span<const Lanes> b, std::span<float> matrix) noexcept;

}  // namespace attentune::numerics
