// Logic and shift: PTX ISA 9.0, section 9.7.8.
#include <cstdint>
#include <string>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/numerics/bits.h"
#include "runtime/simulator/numerics/integer.h"

namespace attentune::simulator {

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <class T>
void add_bitwise(Registry& registry, const std::string& type) {
  constexpr auto logic = Category::logic;
  registry.add("and." + type, elementwise<T(T, T)>(logic, [](T a, T b) { return static_cast<T>(a & b); }));
  registry.add("or." + type, elementwise<T(T, T)>(logic, [](T a, T b) { return static_cast<T>(a | b); }));
  registry.add("xor." + type, elementwise<T(T, T)>(logic, [](T a, T b) { return static_cast<T>(a ^ b); }));
  registry.add("not." + type, elementwise<T(T)>(logic, [](T a) { return static_cast<T>(~a); }));
  registry.add("cnot." + type, elementwise<T(T)>(logic, [](T a) { return static_cast<T>(a == 0 ? 1 : 0); }));
  registry.add("shl." + type, elementwise<T(T, u32)>(logic, [](T a, u32 n) { return numerics::shift_left(a, n); }));
}

template <class T>
void add_shift_right(Registry& registry, const std::string& type) {
  registry.add("shr." + type,
               elementwise<T(T, u32)>(Category::logic, [](T a, u32 n) { return numerics::shift_right(a, n); }));
}

}  // namespace

void register_logic(Registry& registry) {
  constexpr auto logic = Category::logic;
  add_bitwise<u16>(registry, "b16");
  add_bitwise<u32>(registry, "b32");
  add_bitwise<u64>(registry, "b64");
  add_shift_right<u16>(registry, "b16");
  add_shift_right<u16>(registry, "u16");
  add_shift_right<u32>(registry, "b32");
  add_shift_right<u32>(registry, "u32");
  add_shift_right<u64>(registry, "b64");
  add_shift_right<u64>(registry, "u64");
  add_shift_right<std::int16_t>(registry, "s16");
  add_shift_right<std::int32_t>(registry, "s32");
  add_shift_right<std::int64_t>(registry, "s64");
  registry.add("and.pred", elementwise<bool(bool, bool)>(logic, [](bool a, bool b) { return a && b; }));
  registry.add("or.pred", elementwise<bool(bool, bool)>(logic, [](bool a, bool b) { return a || b; }));
  registry.add("xor.pred", elementwise<bool(bool, bool)>(logic, [](bool a, bool b) { return a != b; }));
  registry.add("not.pred", elementwise<bool(bool)>(logic, [](bool a) { return !a; }));
  registry.add("lop3.b32", elementwise<u32(u32, u32, u32, u32)>(
                               logic, [](u32 a, u32 b, u32 c, u32 table) { return numerics::lop3(a, b, c, table); }));
  registry.add("shf.l.wrap.b32", elementwise<u32(u32, u32, u32)>(
                                     logic, [](u32 a, u32 b, u32 n) { return numerics::funnel_left(a, b, n, false); }));
  registry.add("shf.l.clamp.b32", elementwise<u32(u32, u32, u32)>(
                                      logic, [](u32 a, u32 b, u32 n) { return numerics::funnel_left(a, b, n, true); }));
  registry.add("shf.r.wrap.b32", elementwise<u32(u32, u32, u32)>(logic, [](u32 a, u32 b, u32 n) {
                 return numerics::funnel_right(a, b, n, false);
               }));
  registry.add("shf.r.clamp.b32", elementwise<u32(u32, u32, u32)>(logic, [](u32 a, u32 b, u32 n) {
                 return numerics::funnel_right(a, b, n, true);
               }));
}

}  // namespace attentune::simulator
