// Integer and bit instructions that C++ has no operator for. The type of an instruction is the type T of its operands.
// Source: PTX ISA 9.0, sections 9.7.1 (integer arithmetic) and 9.7.8 (logic and shift).
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace attentune::numerics {

namespace detail {

// An integer twice as wide; __int128 is wide enough for every T here, narrower ones are for speed.
template <std::integral T>
using Product = std::conditional_t<
    sizeof(T) == 8, std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>,
    std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>,
                       std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>>>;

}  // namespace detail

// Arithmetic that wraps, as PTX's does (signed overflow is undefined in C++).
template <std::integral T>
[[nodiscard]] constexpr T wrapping_add(T a, T b) noexcept {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
}

template <std::integral T>
[[nodiscard]] constexpr T wrapping_sub(T a, T b) noexcept {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(static_cast<U>(a) - static_cast<U>(b)));
}

// 9.7.1.3 mul.wide (T of 16 or 32 bits), mul.lo, mul.hi
template <std::integral T>
[[nodiscard]] constexpr detail::Product<T> mul_wide(T a, T b) noexcept {
  using P = detail::Product<T>;
  return static_cast<P>(static_cast<P>(a) * static_cast<P>(b));
}

template <std::integral T>
[[nodiscard]] constexpr T mul_lo(T a, T b) noexcept {
  return static_cast<T>(mul_wide(a, b));
}

template <std::integral T>
[[nodiscard]] constexpr T mul_hi(T a, T b) noexcept {
  return static_cast<T>(mul_wide(a, b) >> (8 * sizeof(T)));
}

// 9.7.1.4 mad: the product's part plus c
template <std::integral T>
[[nodiscard]] constexpr detail::Product<T> mad_wide(T a, T b, detail::Product<T> c) noexcept {
  return wrapping_add(mul_wide(a, b), c);
}

template <std::integral T>
[[nodiscard]] constexpr T mad_lo(T a, T b, T c) noexcept {
  return wrapping_add(mul_lo(a, b), c);
}

template <std::integral T>
[[nodiscard]] constexpr T mad_hi(T a, T b, T c) noexcept {
  return wrapping_add(mul_hi(a, b), c);
}

// 9.7.1.1 add.sat.s32, 9.7.1.2 sub.sat.s32
[[nodiscard]] constexpr std::int32_t clamp_to_s32(std::int64_t value) noexcept {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
}

[[nodiscard]] constexpr std::int32_t add_sat(std::int32_t a, std::int32_t b) noexcept {
  return clamp_to_s32(std::int64_t{a} + b);
}

[[nodiscard]] constexpr std::int32_t sub_sat(std::int32_t a, std::int32_t b) noexcept {
  return clamp_to_s32(std::int64_t{a} - b);
}

// 9.7.1.8 div and 9.7.1.9 rem. By zero: unspecified there, all ones and the dividend here. Unlike C++, the most
// negative number divided by -1 wraps.
template <std::integral T>
[[nodiscard]] constexpr T divide(T a, T b) noexcept {
  if (b == 0)
    return static_cast<T>(~T{0});
  if (std::is_signed_v<T> && b == static_cast<T>(-1))
    return wrapping_sub(T{0}, a);
  return static_cast<T>(a / b);
}

template <std::integral T>
[[nodiscard]] constexpr T remainder(T a, T b) noexcept {
  if (b == 0)
    return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1))
    return 0;
  return static_cast<T>(a % b);
}

// 9.7.1.10 abs: the most negative number stays itself.
template <std::signed_integral T>
[[nodiscard]] constexpr T absolute(T a) noexcept {
  return a < 0 ? wrapping_sub(T{0}, a) : a;
}

// 9.7.1.7 sad
template <std::integral T>
[[nodiscard]] constexpr T sad(T a, T b, T c) noexcept {
  return wrapping_add(c, a < b ? wrapping_sub(b, a) : wrapping_sub(a, b));
}

// 9.7.8.8 shl and 9.7.8.9 shr: amounts past the width give what shifting out every bit gives.
template <std::integral T>
[[nodiscard]] constexpr T shift_left(T a, std::uint32_t amount) noexcept {
  using U = std::make_unsigned_t<T>;
  return amount >= 8 * sizeof(T) ? T{0} : static_cast<T>(static_cast<U>(std::uint64_t{static_cast<U>(a)} << amount));
}

template <std::integral T>
[[nodiscard]] constexpr T shift_right(T a, std::uint32_t amount) noexcept {
  if (amount >= 8 * sizeof(T))
    return static_cast<T>(a < 0 ? -1 : 0);
  return static_cast<T>(a >> amount);
}

// 9.7.1.12 min and 9.7.1.13 max for u16x2 and s16x2; T is the type of one half.
template <std::integral T>
  requires(sizeof(T) == 2)
[[nodiscard]] constexpr std::uint32_t on_halves(std::uint32_t a, std::uint32_t b, auto&& operation) noexcept {
  const auto low = static_cast<std::uint16_t>(operation(static_cast<T>(a), static_cast<T>(b)));
  const auto high = static_cast<std::uint16_t>(operation(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
  return std::uint32_t{high} << 16 | low;
}

template <std::integral T>
[[nodiscard]] constexpr std::uint32_t min_x2(std::uint32_t a, std::uint32_t b) noexcept {
  return on_halves<T>(a, b, [](T x, T y) { return std::min(x, y); });
}

template <std::integral T>
[[nodiscard]] constexpr std::uint32_t max_x2(std::uint32_t a, std::uint32_t b) noexcept {
  return on_halves<T>(a, b, [](T x, T y) { return std::max(x, y); });
}

// 9.7.1.23 dp4a: A and B are std::int8_t for .s32, std::uint8_t for .u32.
template <std::integral A, std::integral B>
[[nodiscard]] constexpr std::uint32_t dp4a(std::uint32_t a, std::uint32_t b, std::uint32_t c) noexcept {
  std::uint32_t sum = c;
  for (int shift = 0; shift < 32; shift += 8)
    sum += static_cast<std::uint32_t>(static_cast<A>(a >> shift) * static_cast<B>(b >> shift));
  return sum;
}

}  // namespace attentune::numerics
