// mov, prmt, cvta, isspacep: PTX ISA 9.0, section 9.7.9.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/elementwise.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/memory/windows.h"
#include "runtime/simulator/numerics/bits.h"

namespace attentune::simulator {

namespace {

using Kind = ptx::Operand::Kind;

// A copy of what nobody wrote is as unwritten as its source: compilers copy registers that some path leaves alone.
void copy_validity(Warp& warp, const Step& step, Mask lanes) {
  Mask& written = warp.registers.written[step.output(0).number];
  written = (written & ~lanes) | (warp.registers.written[step.input(0).number] & lanes);
}

void move_word(Warp& warp, const Step& step, Mask lanes) {
  const Words source = warp.registers.words[step.input(0).at];
  Words& destination = warp.registers.words[step.output(0).at];
  for_each_lane(
      lanes, [&](int lane) { destination[static_cast<std::size_t>(lane)] = source[static_cast<std::size_t>(lane)]; });
  copy_validity(warp, step, lanes);
}

void move_wide(Warp& warp, const Step& step, Mask lanes) {
  const Wides source = warp.registers.wides[step.input(0).at];
  Wides& destination = warp.registers.wides[step.output(0).at];
  for_each_lane(
      lanes, [&](int lane) { destination[static_cast<std::size_t>(lane)] = source[static_cast<std::size_t>(lane)]; });
  copy_validity(warp, step, lanes);
}

void move_predicate(Warp& warp, const Step& step, Mask lanes) {
  warp.registers.set_predicate(step.output(0), lanes, warp.registers.predicate(step.input(0)));
  copy_validity(warp, step, lanes);
}

// mov.b64 %rd, {%r1, %r2}: the first element is the lowest. attribute: bits of an element.
void pack(Warp& warp, const Step& step, Mask lanes) {
  const std::uint32_t bits = step.attribute;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for_each_lane(lanes, [&](int lane) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < step.inputs; ++i)
      value |= (lane_value(warp.registers, step.input(i), lane) & mask) << (i * bits);
    set_lane_value(warp.registers, step.output(0), lane, value);
  });
}

void unpack(Warp& warp, const Step& step, Mask lanes) {
  const std::uint32_t bits = step.attribute;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for_each_lane(lanes, [&](int lane) {
    const std::uint64_t value = lane_value(warp.registers, step.input(0), lane);
    for (std::size_t i = 0; i < step.outputs; ++i)
      set_lane_value(warp.registers, step.output(i), lane, value >> (i * bits) & mask);
  });
}

int bits_of_type(const StepBuilder& builder, std::string_view type) {
  constexpr std::array<std::pair<std::string_view, int>, 4> widths{{{"16", 16}, {"32", 32}, {"64", 64}, {"pred", 1}}};
  for (const auto& [ending, bits] : widths) {
    if (type.ends_with(ending))
      return bits;
  }
  builder.refuse("its type is not served");
}

void decode_mov(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  if (builder.modifiers().size() != 2)
    builder.refuse("the simulator has no handler for it");
  const int bits = bits_of_type(builder, builder.last_modifier());
  const ptx::Operand& destination = builder.operand(0);
  const ptx::Operand& source = builder.operand(1);
  Step& step = builder.step;
  step.category = Category::move;
  if (destination.kind == Kind::vector || source.kind == Kind::vector) {
    const bool packs = source.kind == Kind::vector;
    const std::size_t count = packs ? source.elements.size() : destination.elements.size();
    const int part = count == 0 ? 0 : bits / static_cast<int>(count);
    if (part != 16 && part != 32)
      builder.refuse("its parts are neither of 16 nor of 32 bits");
    step.attribute = static_cast<std::uint32_t>(part);
    step.handler = packs ? pack : unpack;
    step.computes = true;
    builder.outputs(destination, packs ? bits : part, packs ? 1 : count);
    builder.inputs(source, packs ? part : bits, packs ? count : 1);
    return;
  }
  builder.output(destination, bits);
  builder.input(source, bits);
  step.handler = bits == 1 ? move_predicate : bits == 64 ? move_wide : move_word;
  step.checks_inputs = false;
  step.writes_validity = true;
}

// cvta.SPACE.u64: an address in SPACE to a generic one; cvta.to.SPACE.u64: back. The offset is the window's.
void convert_address(Warp& warp, const Step& step, Mask lanes) {
  const auto window = static_cast<std::uint64_t>(step.offset);
  const Wides source = warp.registers.wides[step.input(0).at];
  Wides& destination = warp.registers.wides[step.output(0).at];
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    destination[at] = source[at] + window;
  });
}

void check_space(Warp& warp, const Step& step, Mask lanes) {
  const Wides& source = warp.registers.wides[step.input(0).at];
  Mask result = 0;
  for_each_lane(lanes, [&](int lane) {
    result |= space_of(source[static_cast<std::size_t>(lane)]) == step.memory.space ? lane_bit(lane) : 0;
  });
  warp.registers.set_predicate(step.output(0), lanes, result);
}

Space space_named(const StepBuilder& builder, std::string_view name) {
  if (name == "global")
    return Space::global;
  if (name == "shared" || name == "shared::cta" || name == "shared::cluster")
    return Space::shared;
  if (name == "local")
    return Space::local;
  if (name == "param" || name == "param::entry")
    return Space::param;
  if (name == "const")
    return Space::constant;
  builder.refuse("its state space is not served");
}

void decode_cvta(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  const auto& modifiers = builder.modifiers();
  const bool to = modifiers.size() == 4 && modifiers[1] == "to";
  if ((modifiers.size() != 3 && !to) || modifiers.back() != "u64")
    builder.refuse("the simulator has no handler for it");
  const auto window = static_cast<std::int64_t>(window_of(space_named(builder, modifiers[modifiers.size() - 2])));
  builder.output(builder.operand(0), 64);
  builder.input(builder.operand(1), 64);
  builder.step.offset = to ? -window : window;
  builder.step.handler = convert_address;
  builder.step.category = Category::move;
}

void decode_isspacep(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  builder.output(builder.operand(0), 1);
  builder.input(builder.operand(1), 64);
  builder.step.memory.space = space_named(builder, builder.last_modifier());
  builder.step.handler = check_space;
}

template <numerics::Permute mode>
void add_prmt(Registry& registry, const std::string& suffix) {
  using u32 = std::uint32_t;
  registry.add("prmt.b32" + suffix, elementwise<u32(u32, u32, u32)>(Category::logic, [](u32 a, u32 b, u32 c) {
                 return numerics::permute(a, b, c, mode);
               }));
}

}  // namespace

void register_movement(Registry& registry) {
  registry.add("mov", decode_mov);
  registry.add("cvta", decode_cvta);
  registry.add("isspacep", decode_isspacep);
  using numerics::Permute;
  add_prmt<Permute::index>(registry, "");
  add_prmt<Permute::f4e>(registry, ".f4e");
  add_prmt<Permute::b4e>(registry, ".b4e");
  add_prmt<Permute::rc8>(registry, ".rc8");
  add_prmt<Permute::ecl>(registry, ".ecl");
  add_prmt<Permute::ecr>(registry, ".ecr");
  add_prmt<Permute::rc16>(registry, ".rc16");
}

}  // namespace attentune::simulator
