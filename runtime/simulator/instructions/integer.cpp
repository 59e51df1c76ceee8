// Integer arithmetic: PTX ISA 9.0, section 9.7.1.
#include "runtime/simulator/numerics/integer.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/numerics/bits.h"

namespace attentune::simulator {

namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

template <class T>
void add_common(Registry& registry, const std::string& type) {
  constexpr auto integer = Category::integer;
  registry.add("add." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::wrapping_add(a, b); }));
  registry.add("sub." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::wrapping_sub(a, b); }));
  registry.add("mul.lo." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::mul_lo(a, b); }));
  registry.add("mul.hi." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::mul_hi(a, b); }));
  registry.add("mad.lo." + type,
               elementwise<T(T, T, T)>(integer, [](T a, T b, T c) { return numerics::mad_lo(a, b, c); }));
  registry.add("mad.hi." + type,
               elementwise<T(T, T, T)>(integer, [](T a, T b, T c) { return numerics::mad_hi(a, b, c); }));
  registry.add("sad." + type, elementwise<T(T, T, T)>(integer, [](T a, T b, T c) { return numerics::sad(a, b, c); }));
  registry.add("div." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::divide(a, b); }));
  registry.add("rem." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return numerics::remainder(a, b); }));
  registry.add("min." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return std::min(a, b); }));
  registry.add("max." + type, elementwise<T(T, T)>(integer, [](T a, T b) { return std::max(a, b); }));
  if constexpr (std::is_signed_v<T>) {
    registry.add("abs." + type, elementwise<T(T)>(integer, [](T a) { return numerics::absolute(a); }));
    registry.add("neg." + type, elementwise<T(T)>(integer, [](T a) { return numerics::wrapping_sub(T{0}, a); }));
  }
  if constexpr (sizeof(T) <= 4) {
    using Wide = decltype(numerics::mul_wide(T{}, T{}));
    registry.add("mul.wide." + type,
                 elementwise<Wide(T, T)>(integer, [](T a, T b) { return numerics::mul_wide(a, b); }));
    registry.add("mad.wide." + type,
                 elementwise<Wide(T, T, Wide)>(integer, [](T a, T b, Wide c) { return numerics::mad_wide(a, b, c); }));
  }
  if constexpr (sizeof(T) >= 4) {
    registry.add("bfe." + type, elementwise<T(T, u32, u32)>(integer, [](T a, u32 position, u32 length) {
                   return numerics::bit_field_extract(a, position, length);
                 }));
    registry.add("bfind." + type, elementwise<u32(T)>(integer, [](T a) { return numerics::find_bit(a, false); }));
    registry.add("bfind.shiftamt." + type,
                 elementwise<u32(T)>(integer, [](T a) { return numerics::find_bit(a, true); }));
  }
}

template <class T>
void add_bits(Registry& registry, const std::string& type) {
  constexpr auto integer = Category::integer;
  registry.add("popc." + type, elementwise<u32(T)>(integer, [](T a) { return static_cast<u32>(std::popcount(a)); }));
  registry.add("clz." + type, elementwise<u32(T)>(integer, [](T a) { return static_cast<u32>(std::countl_zero(a)); }));
  registry.add("brev." + type, elementwise<T(T)>(integer, [](T a) { return numerics::bit_reverse(a); }));
  registry.add("bfi." + type, elementwise<T(T, T, u32, u32)>(integer, [](T a, T b, u32 position, u32 length) {
                 return numerics::bit_field_insert(a, b, position, length);
               }));
}

}  // namespace

void register_integer(Registry& registry) {
  add_common<u16>(registry, "u16");
  add_common<u32>(registry, "u32");
  add_common<u64>(registry, "u64");
  add_common<s16>(registry, "s16");
  add_common<s32>(registry, "s32");
  add_common<s64>(registry, "s64");
  add_bits<u32>(registry, "b32");
  add_bits<u64>(registry, "b64");
  constexpr auto integer = Category::integer;
  registry.add("add.sat.s32",
               elementwise<s32(s32, s32)>(integer, [](s32 a, s32 b) { return numerics::add_sat(a, b); }));
  registry.add("sub.sat.s32",
               elementwise<s32(s32, s32)>(integer, [](s32 a, s32 b) { return numerics::sub_sat(a, b); }));
  registry.add("min.relu.s32",
               elementwise<s32(s32, s32)>(integer, [](s32 a, s32 b) { return std::max(std::min(a, b), 0); }));
  registry.add("max.relu.s32", elementwise<s32(s32, s32)>(integer, [](s32 a, s32 b) { return std::max({a, b, 0}); }));
  registry.add("min.u16x2",
               elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) { return numerics::min_x2<u16>(a, b); }));
  registry.add("max.u16x2",
               elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) { return numerics::max_x2<u16>(a, b); }));
  registry.add("min.s16x2",
               elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) { return numerics::min_x2<s16>(a, b); }));
  registry.add("max.s16x2",
               elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) { return numerics::max_x2<s16>(a, b); }));
  registry.add("min.relu.s16x2", elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) {
                 return numerics::max_x2<s16>(numerics::min_x2<s16>(a, b), 0);
               }));
  registry.add("max.relu.s16x2", elementwise<u32(u32, u32)>(integer, [](u32 a, u32 b) {
                 return numerics::max_x2<s16>(numerics::max_x2<s16>(a, b), 0);
               }));
  registry.add("dp4a.s32.s32", elementwise<u32(u32, u32, u32)>(
                                   integer, [](u32 a, u32 b, u32 c) { return numerics::dp4a<s8, s8>(a, b, c); }));
  registry.add("dp4a.u32.u32", elementwise<u32(u32, u32, u32)>(
                                   integer, [](u32 a, u32 b, u32 c) { return numerics::dp4a<u8, u8>(a, b, c); }));
}

}  // namespace attentune::simulator
