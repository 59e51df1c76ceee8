#include "runtime/simulator/numerics/fragment.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "runtime/simulator/numerics/format.h"

namespace attentune::numerics {
namespace {

template <MatrixType type>
float decode(std::uint32_t pattern) noexcept {
  if constexpr (type == MatrixType::f16)
    return decode_float(f16, pattern);
  else if constexpr (type == MatrixType::bf16)
    return decode_float(bf16, pattern);
  else if constexpr (type == MatrixType::e4m3)
    return decode_float(e4m3, pattern);
  else if constexpr (type == MatrixType::e5m2)
    return decode_float(e5m2, pattern);
  else
    return tf32_of(pattern);
}

template <MatrixType type>
void decode_packed(std::span<const std::byte> packed, std::span<float> out) noexcept {
  constexpr std::size_t bytes = bits_of(type) / 8;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint32_t pattern = 0;
    std::memcpy(&pattern, packed.data() + i * bytes, bytes);
    out[i] = decode<type>(pattern);
  }
}

// Every element of `registers`, stored at index_of(register, lane, element). The lanes of one register are decoded
// together, which the compiler turns into vector instructions, and scattered afterwards.
template <MatrixType type>
void decode_registers(std::span<const Lanes> registers, std::span<float> matrix, const auto& index_of) noexcept {
  constexpr int per_register = elements_per_register(type);
  for (std::size_t reg = 0; reg < registers.size(); ++reg) {
    for (int element = 0; element < per_register; ++element) {
      std::array<float, 32> values{};
      for (std::size_t lane = 0; lane < 32; ++lane)
        values[lane] = decode<type>(registers[reg][lane] >> (element * bits_of(type)));
      for (int lane = 0; lane < 32; ++lane)
        matrix[index_of(static_cast<int>(reg), lane, element)] = values[static_cast<std::size_t>(lane)];
    }
  }
}

template <MatrixType type>
void decode_a_as(std::span<const Lanes> a, std::span<float> matrix) noexcept {
  constexpr int per_register = elements_per_register(type);
  const int k = 2 * per_register * static_cast<int>(a.size());
  decode_registers<type>(a, matrix, [k](int reg, int lane, int element) {
    const Place place = place_in_a(per_register, reg, lane, element);
    const int index = place.row * k + place.column;
    return static_cast<std::size_t>(index);
  });
}

template <MatrixType type>
void decode_b_as(std::span<const Lanes> b, std::span<float> matrix) noexcept {
  decode_registers<type>(b, matrix, [](int reg, int lane, int element) {
    const Place place = place_in_b(elements_per_register(type), reg, lane, element);
    const int index = place.row * 8 + place.column;
    return static_cast<std::size_t>(index);
  });
}

}  // namespace

void decode_elements(MatrixType type, std::span<const std::byte> packed, std::span<float> out) noexcept {
  assert(packed.size() * 8 >= out.size() * static_cast<std::size_t>(bits_of(type)));
  switch (type) {
    case MatrixType::f16:
      return decode_packed<MatrixType::f16>(packed, out);
    case MatrixType::bf16:
      return decode_packed<MatrixType::bf16>(packed, out);
    case MatrixType::tf32:
      return decode_packed<MatrixType::tf32>(packed, out);
    case MatrixType::e4m3:
      return decode_packed<MatrixType::e4m3>(packed, out);
    case MatrixType::e5m2:
      return decode_packed<MatrixType::e5m2>(packed, out);
  }
}

void decode_a(MatrixType type, std::span<const Lanes> a, std::span<float> matrix) noexcept {
  assert(matrix.size() >= 32 * a.size() * static_cast<std::size_t>(elements_per_register(type)));
  switch (type) {
    case MatrixType::f16:
      return decode_a_as<MatrixType::f16>(a, matrix);
    case MatrixType::bf16:
      return decode_a_as<MatrixType::bf16>(a, matrix);
    case MatrixType::tf32:
      return decode_a_as<MatrixType::tf32>(a, matrix);
    case MatrixType::e4m3:
      return decode_a_as<MatrixType::e4m3>(a, matrix);
    case MatrixType::e5m2:
      return decode_a_as<MatrixType::e5m2>(a, matrix);
  }
}

void decode_b(MatrixType type, std::span<const Lanes> b, std::span<float> matrix) noexcept {
  assert(matrix.size() >= 32 * b.size() * static_cast<std::size_t>(elements_per_register(type)));
  switch (type) {
    case MatrixType::f16:
      return decode_b_as<MatrixType::f16>(b, matrix);
    case MatrixType::bf16:
      return decode_b_as<MatrixType::bf16>(b, matrix);
    case MatrixType::tf32:
      return decode_b_as<MatrixType::tf32>(b, matrix);
    case MatrixType::e4m3:
      return decode_b_as<MatrixType::e4m3>(b, matrix);
    case MatrixType::e5m2:
      return decode_b_as<MatrixType::e5m2>(b, matrix);
  }
}

}  // namespace attentune::numerics
