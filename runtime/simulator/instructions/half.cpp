// Arithmetic of f16, bf16 and their packed pairs: PTX ISA 9.0, section 9.7.4.
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/numerics/approximate.h"
#include "runtime/simulator/numerics/half_arithmetic.h"
#include "runtime/simulator/numerics/min_max.h"

namespace attentune::simulator {

namespace {

using numerics::Format;
using numerics::HalfMode;
using numerics::MinMaxMode;
using numerics::on_both;
using u16 = std::uint16_t;
using u32 = std::uint32_t;

struct F16 {
  static constexpr Format format = numerics::f16;
};
struct BF16 {
  static constexpr Format format = numerics::bf16;
};

// One operation as the scalar form and the packed one.
template <class Operation>
void add_binary(Registry& registry, const std::string& opcode, Category category, Operation) {
  registry.add(opcode, elementwise<u16(u16, u16)>(category, [](u16 a, u16 b) { return Operation{}(a, b); }));
  registry.add(opcode + "x2",
               elementwise<u32(u32, u32)>(category, [](u32 a, u32 b) { return on_both(Operation{}, a, b); }));
}

template <class Type, bool ftz, bool sat>
void add_arithmetic(Registry& registry, const std::string& type) {
  static constexpr HalfMode mode{.ftz = ftz, .sat = sat};
  constexpr auto floating = Category::floating;
  const std::string suffix = std::string(ftz ? ".ftz" : "") + (sat ? ".sat" : "") + "." + type;
  for (const std::string& rounding : {std::string(), std::string(".rn")}) {
    add_binary(registry, fmt::format("add{}{}", rounding, suffix), floating,
               [](u16 a, u16 b) { return numerics::add(Type::format, a, b, mode); });
    add_binary(registry, fmt::format("sub{}{}", rounding, suffix), floating, [](u16 a, u16 b) {
      return numerics::add(Type::format, a, static_cast<u16>(b ^ Type::format.sign()), mode);
    });
    add_binary(registry, fmt::format("mul{}{}", rounding, suffix), floating,
               [](u16 a, u16 b) { return numerics::mul(Type::format, a, b, mode); });
  }
}

template <class Type, bool ftz, bool sat, bool relu>
void add_fma(Registry& registry, const std::string& type) {
  static constexpr HalfMode mode{.ftz = ftz, .sat = sat, .relu = relu};
  const std::string opcode =
      std::string("fma.rn") + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + (relu ? ".relu" : "") + "." + type;
  registry.add(opcode, elementwise<u16(u16, u16, u16)>(Category::fused_multiply_add, [](u16 a, u16 b, u16 c) {
                 return numerics::fma(Type::format, a, b, c, mode);
               }));
  registry.add(opcode + "x2", elementwise<u32(u32, u32, u32)>(Category::fused_multiply_add, [](u32 a, u32 b, u32 c) {
                 return on_both([](u16 x, u16 y, u16 z) { return numerics::fma(Type::format, x, y, z, mode); }, a, b,
                                c);
               }));
}

template <class Type, bool ftz, bool nan>
void add_min_max(Registry& registry, const std::string& type) {
  static constexpr MinMaxMode mode{.ftz = ftz, .nan = nan};
  const std::string suffix = std::string(ftz ? ".ftz" : "") + (nan ? ".NaN" : "") + "." + type;
  add_binary(registry, "min" + suffix, Category::floating,
             [](u16 a, u16 b) { return static_cast<u16>(numerics::minimum(Type::format, a, b, mode)); });
  add_binary(registry, "max" + suffix, Category::floating,
             [](u16 a, u16 b) { return static_cast<u16>(numerics::maximum(Type::format, a, b, mode)); });
}

void add_signs(Registry& registry, const std::string& type) {
  constexpr auto floating = Category::floating;
  registry.add("neg." + type, elementwise<u16(u16)>(floating, [](u16 a) { return static_cast<u16>(a ^ 0x8000U); }));
  registry.add("abs." + type, elementwise<u16(u16)>(floating, [](u16 a) { return static_cast<u16>(a & 0x7FFFU); }));
  registry.add("neg." + type + "x2", elementwise<u32(u32)>(floating, [](u32 a) { return numerics::negate_x2(a); }));
  registry.add("abs." + type + "x2", elementwise<u32(u32)>(floating, [](u32 a) { return numerics::absolute_x2(a); }));
}

template <class Type>
void add_approximate(Registry& registry, const std::string& type, const std::string& ex2) {
  constexpr auto special = Category::special_function;
  registry.add(ex2 + "." + type, elementwise<u16(u16)>(special, [](Seed seed, u16 a) {
                 return numerics::ex2_approx(Type::format, a, seed.value);
               }));
  registry.add(ex2 + "." + type + "x2", elementwise<u32(u32)>(special, [](Seed seed, u32 a) {
                 return numerics::ex2_approx_x2(Type::format, a, seed.value);
               }));
  registry.add("tanh.approx." + type, elementwise<u16(u16)>(special, [](Seed seed, u16 a) {
                 return numerics::tanh_approx(Type::format, a, seed.value);
               }));
  registry.add("tanh.approx." + type + "x2", elementwise<u32(u32)>(special, [](Seed seed, u32 a) {
                 return numerics::tanh_approx_x2(Type::format, a, seed.value);
               }));
}

}  // namespace

void register_half(Registry& registry) {
  add_arithmetic<F16, false, false>(registry, "f16");
  add_arithmetic<F16, true, false>(registry, "f16");
  add_arithmetic<F16, false, true>(registry, "f16");
  add_arithmetic<F16, true, true>(registry, "f16");
  add_arithmetic<BF16, false, false>(registry, "bf16");
  add_fma<F16, false, false, false>(registry, "f16");
  add_fma<F16, true, false, false>(registry, "f16");
  add_fma<F16, false, true, false>(registry, "f16");
  add_fma<F16, false, false, true>(registry, "f16");
  add_fma<BF16, false, false, false>(registry, "bf16");
  add_fma<BF16, false, false, true>(registry, "bf16");
  add_min_max<F16, false, false>(registry, "f16");
  add_min_max<F16, false, true>(registry, "f16");
  add_min_max<F16, true, false>(registry, "f16");
  add_min_max<BF16, false, false>(registry, "bf16");
  add_min_max<BF16, false, true>(registry, "bf16");
  add_signs(registry, "f16");
  add_signs(registry, "bf16");
  add_approximate<F16>(registry, "f16", "ex2.approx");
  add_approximate<BF16>(registry, "bf16", "ex2.approx.ftz");
}

}  // namespace attentune::simulator
