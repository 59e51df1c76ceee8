// cvt: PTX ISA 9.0, section 9.7.9.21.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/numerics/convert.h"

namespace attentune::simulator {

namespace {

using numerics::Conversion;
using numerics::Number;
using numerics::Rounding;

// A Conversion in Step::attribute.
std::uint32_t packed(const Conversion& form) noexcept {
  const auto flag = [](bool value, int bit) { return static_cast<std::uint32_t>(value) << bit; };
  return static_cast<std::uint32_t>(form.to) | static_cast<std::uint32_t>(form.from) << 4 |
         static_cast<std::uint32_t>(form.rounding) << 8 | flag(form.to_integral, 16) | flag(form.ftz, 17) |
         flag(form.sat, 18) | flag(form.relu, 19) | flag(form.satfinite, 20);
}

Conversion unpacked(std::uint32_t bits) noexcept {
  const auto flag = [&](int bit) { return (bits >> bit & 1) != 0; };
  return {.to = static_cast<Number>(bits & 15),
          .from = static_cast<Number>(bits >> 4 & 15),
          .rounding = static_cast<Rounding>(bits >> 8 & 15),
          .to_integral = flag(16),
          .ftz = flag(17),
          .sat = flag(18),
          .relu = flag(19),
          .satfinite = flag(20)};
}

void convert_scalar(Warp& warp, const Step& step, Mask lanes) {
  const Conversion form = unpacked(step.attribute);
  for_each_lane(lanes, [&](int lane) {
    set_lane_value(warp.registers, step.output(0), lane,
                   numerics::convert(form, lane_value(warp.registers, step.input(0), lane)));
  });
}

void convert_pair(Warp& warp, const Step& step, Mask lanes) {
  const Conversion form = unpacked(step.attribute);
  for_each_lane(lanes, [&](int lane) {
    const auto high = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(0), lane));
    const auto low = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(1), lane));
    set_lane_value(warp.registers, step.output(0), lane, numerics::convert_pair(form, high, low));
  });
}

void convert_packed(Warp& warp, const Step& step, Mask lanes) {
  const Conversion form = unpacked(step.attribute);
  for_each_lane(lanes, [&](int lane) {
    const auto source = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(0), lane));
    set_lane_value(warp.registers, step.output(0), lane, numerics::convert_packed(form, source));
  });
}

std::optional<Number> number_named(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, Number>, 15> table{{
      {"u8", Number::u8},
      {"u16", Number::u16},
      {"u32", Number::u32},
      {"u64", Number::u64},
      {"s8", Number::s8},
      {"s16", Number::s16},
      {"s32", Number::s32},
      {"s64", Number::s64},
      {"f16", Number::f16},
      {"bf16", Number::bf16},
      {"tf32", Number::tf32},
      {"f32", Number::f32},
      {"f64", Number::f64},
      {"e4m3", Number::e4m3},
      {"e5m2", Number::e5m2},
  }};
  for (const auto& [known, number] : table) {
    if (known == name)
      return number;
  }
  return std::nullopt;
}

struct TypeName {
  Number number = Number::f32;
  bool pair = false;
};

TypeName type_named(const StepBuilder& builder, std::string_view name) {
  const bool pair = name.ends_with("x2");
  const std::optional<Number> number = number_named(pair ? name.substr(0, name.size() - 2) : name);
  if (!number)
    builder.refuse("a type is not served");
  return {.number = *number, .pair = pair};
}

bool take_modifier(std::string_view modifier, Conversion& form) noexcept {
  constexpr std::array<std::pair<std::string_view, Rounding>, 9> roundings{{
      {"rn", Rounding::nearest_even},
      {"rni", Rounding::nearest_even},
      {"rz", Rounding::toward_zero},
      {"rzi", Rounding::toward_zero},
      {"rm", Rounding::down},
      {"rmi", Rounding::down},
      {"rp", Rounding::up},
      {"rpi", Rounding::up},
      {"rna", Rounding::nearest_away},
  }};
  for (const auto& [name, rounding] : roundings) {
    if (name == modifier) {
      form.rounding = rounding;
      form.to_integral = name.size() == 3 && name != "rna";
      return true;
    }
  }
  constexpr std::array<std::pair<std::string_view, bool Conversion::*>, 4> flags{
      {{"ftz", &Conversion::ftz},
       {"sat", &Conversion::sat},
       {"relu", &Conversion::relu},
       {"satfinite", &Conversion::satfinite}}};
  for (const auto& [name, flag] : flags) {
    if (name == modifier) {
      form.*flag = true;
      return true;
    }
  }
  return false;
}

// Registers hold 16 bits at least, and may be wider than an integer type (section 9.4.1).
int register_bits(Number number, bool pair) noexcept {
  return std::max(numerics::bits_of(number) * (pair ? 2 : 1), 16);
}

void decode_cvt(StepBuilder& builder) {
  builder.expect_operands(2, 3);
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() < 3)
    builder.refuse("the simulator has no handler for it");
  const TypeName to = type_named(builder, modifiers[modifiers.size() - 2]);
  const TypeName from = type_named(builder, modifiers.back());
  Conversion form{.to = to.number, .from = from.number};
  for (std::size_t i = 1; i + 2 < modifiers.size(); ++i) {
    if (!take_modifier(modifiers[i], form))
      builder.refuse("a modifier is not served");
  }
  Step& step = builder.step;
  step.category = Category::conversion;
  step.computes = true;
  step.attribute = packed(form);
  const bool two_sources = to.pair && !from.pair;
  builder.expect_operands(two_sources ? 3 : 2, two_sources ? 3 : 2);
  builder.output(builder.operand(0), register_bits(to.number, to.pair), true);
  builder.input(builder.operand(1), register_bits(from.number, from.pair), true);
  if (two_sources)
    builder.input(builder.operand(2), register_bits(from.number, false), true);
  step.handler = two_sources ? convert_pair : to.pair ? convert_packed : convert_scalar;
}

}  // namespace

void register_conversion(Registry& registry) { registry.add("cvt", decode_cvt); }

}  // namespace attentune::simulator
