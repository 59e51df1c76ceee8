// Comparison and selection: PTX ISA 9.0, sections 9.3.1 (operators), 9.7.6 and 9.7.7.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/numerics/format.h"

namespace attentune::simulator {

namespace {

// A type to compare, made from the register's.
template <class T>
struct Plain {
  using Register = T;
  static T value(T a) { return a; }
};
struct FlushedFloat {
  using Register = float;
  static float value(float a) { return numerics::flush_subnormal(a); }
};
struct Float16 {
  using Register = std::uint16_t;
  static float value(std::uint16_t a) { return numerics::decode_float(numerics::f16, a); }
};
struct BFloat16 {
  using Register = std::uint16_t;
  static float value(std::uint16_t a) { return numerics::decode_float(numerics::bf16, a); }
};

// setp.OP.TYPE, and setp.OP.{and, or, xor}.TYPE with a third, predicate operand: lanes are compared by one function,
// the four forms differ in what they do with its Mask.
template <class T, class Compare>
struct Setp {
  using R = typename T::Register;

  [[gnu::noinline]] static Mask compare(const Warp& warp, const Step& step, Mask lanes) {
    const Source<R> left(warp.registers, step.input(0));
    const Source<R> right(warp.registers, step.input(1));
    Mask result = 0;
    for_each_lane(lanes, [&](int lane) {
      const auto at = static_cast<std::size_t>(lane);
      result |= Compare{}(T::value(left[at]), T::value(right[at])) ? lane_bit(lane) : 0;
    });
    return result;
  }
  static Mask third(const Warp& warp, const Step& step) { return warp.registers.predicate(step.input(2)); }

  static void plain(Warp& warp, const Step& step, Mask lanes) {
    warp.registers.set_predicate(step.output(0), lanes, compare(warp, step, lanes));
  }
  static void conjunction(Warp& warp, const Step& step, Mask lanes) {
    warp.registers.set_predicate(step.output(0), lanes, compare(warp, step, lanes) & third(warp, step));
  }
  static void disjunction(Warp& warp, const Step& step, Mask lanes) {
    warp.registers.set_predicate(step.output(0), lanes, compare(warp, step, lanes) | third(warp, step));
  }
  static void difference(Warp& warp, const Step& step, Mask lanes) {
    warp.registers.set_predicate(step.output(0), lanes, compare(warp, step, lanes) ^ third(warp, step));
  }
};

template <class T, class Compare>
void add_setp(Registry& registry, const std::string& op, const std::string& type, Compare) {
  using Forms = Setp<T, Compare>;
  constexpr int bits = operand_bits<typename T::Register>;
  const auto form = [](Handler handler, std::size_t inputs) {
    return Form{.handler = handler,
                .category = Category::comparison,
                .output_bits = 1,
                .input_bits = {bits, bits, inputs == 3 ? 1 : 0},
                .inputs = inputs};
  };
  registry.add("setp." + op + "." + type, form(&Forms::plain, 2));
  registry.add("setp." + op + ".and." + type, form(&Forms::conjunction, 3));
  registry.add("setp." + op + ".or." + type, form(&Forms::disjunction, 3));
  registry.add("setp." + op + ".xor." + type, form(&Forms::difference, 3));
}

template <class T>
void add_ordered(Registry& registry, const std::string& type) {
  add_setp<T>(registry, "lt", type, [](auto a, auto b) { return a < b; });
  add_setp<T>(registry, "le", type, [](auto a, auto b) { return a <= b; });
  add_setp<T>(registry, "gt", type, [](auto a, auto b) { return a > b; });
  add_setp<T>(registry, "ge", type, [](auto a, auto b) { return a >= b; });
}

template <class T>
void add_integer(Registry& registry, const std::string& type) {
  add_setp<T>(registry, "eq", type, [](auto a, auto b) { return a == b; });
  add_setp<T>(registry, "ne", type, [](auto a, auto b) { return a != b; });
}

// 9.3.1.2: without u, false if either operand is NaN; with u, true.
template <class T>
void add_float(Registry& registry, const std::string& type) {
  add_ordered<T>(registry, type);
  add_setp<T>(registry, "eq", type, [](auto a, auto b) { return a <= b && a >= b; });
  add_setp<T>(registry, "ne", type, [](auto a, auto b) { return a < b || a > b; });
  add_setp<T>(registry, "equ", type, [](auto a, auto b) { return !(a < b || a > b); });
  add_setp<T>(registry, "neu", type, [](auto a, auto b) { return !(a <= b && a >= b); });
  add_setp<T>(registry, "ltu", type, [](auto a, auto b) { return !(a >= b); });
  add_setp<T>(registry, "leu", type, [](auto a, auto b) { return !(a > b); });
  add_setp<T>(registry, "gtu", type, [](auto a, auto b) { return !(a <= b); });
  add_setp<T>(registry, "geu", type, [](auto a, auto b) { return !(a < b); });
  add_setp<T>(registry, "num", type, [](auto a, auto b) { return !std::isnan(a) && !std::isnan(b); });
  add_setp<T>(registry, "nan", type, [](auto a, auto b) { return std::isnan(a) || std::isnan(b); });
}

template <class T>
void add_select(Registry& registry, const std::string& type) {
  registry.add("selp." + type,
               elementwise<T(T, T, bool)>(Category::comparison, [](T a, T b, bool c) { return c ? a : b; }));
}

}  // namespace

void register_comparison(Registry& registry) {
  const auto unsigned_type = [&]<class T>(T, const std::string& bits) {
    using S = std::make_signed_t<T>;
    add_ordered<Plain<T>>(registry, "u" + bits);
    add_ordered<Plain<S>>(registry, "s" + bits);
    add_integer<Plain<T>>(registry, "u" + bits);
    add_integer<Plain<S>>(registry, "s" + bits);
    add_integer<Plain<T>>(registry, "b" + bits);
    // lo, ls, hi, hs: lt, le, gt, ge by another name.
    add_setp<Plain<T>>(registry, "lo", "u" + bits, [](auto a, auto b) { return a < b; });
    add_setp<Plain<T>>(registry, "ls", "u" + bits, [](auto a, auto b) { return a <= b; });
    add_setp<Plain<T>>(registry, "hi", "u" + bits, [](auto a, auto b) { return a > b; });
    add_setp<Plain<T>>(registry, "hs", "u" + bits, [](auto a, auto b) { return a >= b; });
    for (const char* letter : {"b", "u", "s"})
      add_select<T>(registry, letter + bits);
  };
  unsigned_type(std::uint16_t{}, "16");
  unsigned_type(std::uint32_t{}, "32");
  unsigned_type(std::uint64_t{}, "64");
  add_float<Plain<float>>(registry, "f32");
  add_float<FlushedFloat>(registry, "ftz.f32");
  add_float<Plain<double>>(registry, "f64");
  add_float<Float16>(registry, "f16");
  add_float<BFloat16>(registry, "bf16");
  add_select<float>(registry, "f32");
  add_select<double>(registry, "f64");
  registry.add("slct.f32.s32",
               elementwise<float(float, float, std::int32_t)>(
                   Category::comparison, [](float a, float b, std::int32_t c) { return c >= 0 ? a : b; }));
}

}  // namespace attentune::simulator
