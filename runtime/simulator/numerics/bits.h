// Bit fields, permutations, funnel shifts and three-input logic.
// Source: PTX ISA 9.0, sections 9.7.1.16 to 9.7.1.22, 9.7.8.6, 9.7.8.7 and 9.7.9.7. popc and clz are std::popcount and
// std::countl_zero.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace attentune::numerics {

// 9.7.1.19 bfe: `length` bits from `position`, extended by T's signedness; only the low 8 bits of both count.
template <std::integral T>
[[nodiscard]] constexpr T bit_field_extract(T a, std::uint32_t position, std::uint32_t length) noexcept {
  constexpr std::uint32_t width = 8 * sizeof(T);
  const std::uint32_t pos = position & 0xFF;
  const std::uint32_t len = length & 0xFF;
  if (len == 0)
    return 0;
  const T aligned = pos >= width ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> pos);
  if (len >= width)
    return aligned;
  // The field's own top bit becomes the sign; past the end of `a` the shift above has put a's there already.
  using U = std::make_unsigned_t<T>;
  const std::uint32_t unused = width - len;
  return static_cast<T>(static_cast<T>(static_cast<U>(aligned) << unused) >> unused);
}

// 9.7.1.20 bfi: the low `length` bits of `a` over those of `b` from `position`.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T bit_field_insert(T a, T b, std::uint32_t position, std::uint32_t length) noexcept {
  constexpr std::uint32_t width = 8 * sizeof(T);
  const std::uint32_t pos = position & 0xFF;
  const std::uint32_t len = length & 0xFF;
  if (len == 0 || pos >= width)
    return b;
  const T field = len >= width ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << len) - 1);
  const T mask = static_cast<T>(field << pos);
  return static_cast<T>((b & ~mask) | ((a << pos) & mask));
}

// 9.7.1.18 brev
template <std::unsigned_integral T>
[[nodiscard]] constexpr T bit_reverse(T a) noexcept {
  T reversed = 0;
  for (std::uint32_t i = 0; i < 8 * sizeof(T); ++i)
    reversed = static_cast<T>(reversed << 1 | (a >> i & 1));
  return reversed;
}

// 9.7.1.16 bfind: the position of the highest bit unlike the sign, 0xFFFFFFFF where there is none.
template <std::integral T>
[[nodiscard]] constexpr std::uint32_t find_bit(T a, bool as_shift_amount) noexcept {
  using U = std::make_unsigned_t<T>;
  const auto bits = static_cast<U>(a < 0 ? ~a : a);
  if (bits == 0)
    return 0xFFFF'FFFF;
  const int leading_zeros = std::countl_zero(bits);
  return static_cast<std::uint32_t>(as_shift_amount ? leading_zeros
                                                    : static_cast<int>(8 * sizeof(T)) - 1 - leading_zeros);
}

// 9.7.1.17 fns: the position of the offset-th set bit counted from `base`, 0xFFFFFFFF where there is none.
[[nodiscard]] constexpr std::uint32_t find_nth_set(std::uint32_t mask, std::uint32_t base,
                                                   std::int32_t offset) noexcept {
  if (offset == 0)
    return (mask >> (base & 31) & 1) != 0 ? base & 31 : 0xFFFF'FFFF;
  const int step = offset > 0 ? 1 : -1;
  std::int64_t left = offset > 0 ? std::int64_t{offset} : -std::int64_t{offset};
  for (int position = static_cast<int>(base & 31); position >= 0 && position < 32; position += step) {
    if ((mask >> position & 1) != 0 && --left == 0)
      return static_cast<std::uint32_t>(position);
  }
  return 0xFFFF'FFFF;
}

// 9.7.8.7 shf: {b, a} is one 64-bit value; .l gives its upper word, .r its lower one.
[[nodiscard]] constexpr std::uint32_t funnel_amount(std::uint32_t amount, bool clamp) noexcept {
  return clamp ? std::min(amount, 32U) : amount & 31;
}

[[nodiscard]] constexpr std::uint32_t funnel_left(std::uint32_t a, std::uint32_t b, std::uint32_t amount,
                                                  bool clamp) noexcept {
  const std::uint64_t both = std::uint64_t{b} << 32 | a;
  return static_cast<std::uint32_t>(both << funnel_amount(amount, clamp) >> 32);
}

[[nodiscard]] constexpr std::uint32_t funnel_right(std::uint32_t a, std::uint32_t b, std::uint32_t amount,
                                                   bool clamp) noexcept {
  const std::uint64_t both = std::uint64_t{b} << 32 | a;
  return static_cast<std::uint32_t>(both >> funnel_amount(amount, clamp));
}

// 9.7.8.6 lop3: bit 4 * a + 2 * b + c of the table is the result for those three bits.
[[nodiscard]] constexpr std::uint32_t lop3(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                                           std::uint32_t table) noexcept {
  std::uint32_t result = 0;
  for (std::uint32_t minterm = 0; minterm < 8; ++minterm) {
    if ((table >> minterm & 1) == 0)
      continue;
    result |= ((minterm & 4) != 0 ? a : ~a) & ((minterm & 2) != 0 ? b : ~b) & ((minterm & 1) != 0 ? c : ~c);
  }
  return result;
}

// 9.7.9.7 prmt. Bytes 0..3 are a's, 4..7 b's.
enum class Permute : std::uint8_t { index, f4e, b4e, rc8, ecl, ecr, rc16 };

// The selector the special modes stand for: one nibble a destination byte, lowest first.
[[nodiscard]] constexpr std::uint32_t permute_selector(Permute mode, std::uint32_t c) noexcept {
  constexpr std::array<std::array<std::uint16_t, 4>, 6> table{{
      {0x3210, 0x4321, 0x5432, 0x6543},  // f4e
      {0x5670, 0x6701, 0x7012, 0x0123},  // b4e
      {0x0000, 0x1111, 0x2222, 0x3333},  // rc8
      {0x3210, 0x3211, 0x3222, 0x3333},  // ecl
      {0x0000, 0x1110, 0x2210, 0x3210},  // ecr
      {0x1010, 0x3232, 0x1010, 0x3232},  // rc16
  }};
  return mode == Permute::index ? c : table[static_cast<std::size_t>(mode) - 1][c & 3];
}

[[nodiscard]] constexpr std::uint32_t permute(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                                              Permute mode = Permute::index) noexcept {
  const std::uint64_t source = std::uint64_t{b} << 32 | a;
  const std::uint32_t selector = permute_selector(mode, c);
  std::uint32_t result = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const std::uint32_t select = selector >> (shift / 2) & 0xF;
    const auto byte = static_cast<std::uint32_t>(source >> (8 * (select & 7)) & 0xFF);
    // Bit 3: the byte's sign fills all eight bits.
    const std::uint32_t filled = (byte & 0x80) != 0 ? 0xFFU : 0U;
    result |= ((select & 8) != 0 ? filled : byte) << shift;
  }
  return result;
}

}  // namespace attentune::numerics
