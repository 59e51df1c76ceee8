// shfl, vote, match, redux, activemask, elect: PTX ISA 9.0, sections 9.7.9.6 and 9.7.13.9 to 9.7.13.14.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"

namespace attentune::simulator {

namespace {

using Kind = ptx::Operand::Kind;

constexpr std::size_t at(int lane) noexcept { return static_cast<std::size_t>(lane); }

enum class Shuffle : std::uint8_t { up, down, bfly, idx };

// Where a lane reads and whether that is inside its segment: the pseudocode of section 9.7.9.6.
struct Partner {
  int lane = 0;
  bool in_range = false;
};

Partner partner(Shuffle mode, int lane, std::uint32_t b, std::uint32_t c) noexcept {
  const int value = static_cast<int>(b & 0x1F);
  const int clamp = static_cast<int>(c & 0x1F);
  const int segment = static_cast<int>(c >> 8 & 0x1F);
  const int max_lane = (lane & segment) | (clamp & ~segment);
  const int min_lane = lane & segment;
  switch (mode) {
    case Shuffle::up:
      return {.lane = lane - value, .in_range = lane - value >= max_lane};
    case Shuffle::down:
      return {.lane = lane + value, .in_range = lane + value <= max_lane};
    case Shuffle::bfly:
      return {.lane = lane ^ value, .in_range = (lane ^ value) <= max_lane};
    case Shuffle::idx:
      break;
  }
  const int source = min_lane | (value & ~segment);
  return {.lane = source, .in_range = source <= max_lane};
}

// Outputs: d, and maybe p. Inputs: a, b, c, membermask.
template <Shuffle mode>
void shuffle(Warp& warp, const Step& step, Mask lanes) {
  const Words source = warp.registers.words[step.input(0).at];
  const Words b = warp.registers.words[step.input(1).at];
  const Words c = warp.registers.words[step.input(2).at];
  Words& destination = warp.registers.words[step.output(0).at];
  const Mask source_written = warp.registers.written[step.input(0).number];
  Mask written = 0;
  Mask in_range = 0;
  for_each_lane(lanes, [&](int lane) {
    const Partner from = partner(mode, lane, b[at(lane)], c[at(lane)]);
    in_range |= from.in_range ? lane_bit(lane) : 0;
    if (from.in_range && !has_lane(lanes, from.lane))
      warp.fail(FaultKind::bad_operand, lane_bit(lane),
                fmt::format("shfl reads lane {}, which does not take part", from.lane));
    const int read = from.in_range ? from.lane : lane;
    destination[at(lane)] = source[at(read)];
    written |= has_lane(source_written, read) ? lane_bit(lane) : 0;
  });
  Mask& valid = warp.registers.written[step.output(0).number];
  valid = (valid & ~lanes) | written;
  if (step.outputs > 1) {
    warp.registers.set_predicate(step.output(1), lanes, in_range);
    warp.registers.written[step.output(1).number] |= lanes;
  }
}

void decode_shfl(StepBuilder& builder) {
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() != 4 || modifiers[1] != "sync" || modifiers[3] != "b32")
    builder.refuse("the simulator has no handler for it");
  builder.expect_operands(5, 5);
  const ptx::Operand& destination = builder.operand(0);
  const bool pair = destination.kind == Kind::pair;
  builder.output(pair ? destination.elements[0] : destination, 32);
  if (pair)
    builder.output(destination.elements[1], 1);
  for (std::size_t i = 1; i < 5; ++i)
    builder.input(builder.operand(i), 32);
  const std::string_view mode = modifiers[2];
  Step& step = builder.step;
  if (mode == "up")
    step.handler = shuffle<Shuffle::up>;
  else if (mode == "down")
    step.handler = shuffle<Shuffle::down>;
  else if (mode == "bfly")
    step.handler = shuffle<Shuffle::bfly>;
  else if (mode == "idx")
    step.handler = shuffle<Shuffle::idx>;
  else
    builder.refuse("its mode is not served");
  step.computes = true;
  step.writes_validity = true;
  step.convergence = Convergence::members;
  step.category = Category::warp_exchange;
}

enum class Vote : std::uint32_t { all, any, uniform, ballot };

void vote(Warp& warp, const Step& step, Mask lanes) {
  const Mask holds = warp.registers.predicate(step.input(0)) & lanes;
  switch (static_cast<Vote>(step.attribute)) {
    case Vote::ballot:
      for_each_lane(lanes, [&](int lane) { set_lane_value(warp.registers, step.output(0), lane, holds); });
      return;
    case Vote::all:
      return warp.registers.set_predicate(step.output(0), lanes, holds == lanes ? every_lane : 0);
    case Vote::any:
      return warp.registers.set_predicate(step.output(0), lanes, holds != 0 ? every_lane : 0);
    case Vote::uniform:
      return warp.registers.set_predicate(step.output(0), lanes, holds == lanes || holds == 0 ? every_lane : 0);
  }
}

void decode_vote(StepBuilder& builder) {
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() != 4 || modifiers[1] != "sync")
    builder.refuse("the simulator has no handler for it");
  builder.expect_operands(3, 3);
  const std::string_view mode = modifiers[2];
  const Vote meant = mode == "all"   ? Vote::all
                     : mode == "any" ? Vote::any
                     : mode == "uni" ? Vote::uniform
                                     : Vote::ballot;
  if (meant == Vote::ballot && mode != "ballot")
    builder.refuse("its mode is not served");
  builder.output(builder.operand(0), meant == Vote::ballot ? 32 : 1);
  builder.input(builder.operand(1), 1);
  builder.input(builder.operand(2), 32);
  Step& step = builder.step;
  step.attribute = static_cast<std::uint32_t>(meant);
  step.handler = vote;
  step.convergence = Convergence::members;
  step.category = Category::warp_exchange;
}

// Outputs: the mask, and for .all whether everybody has the same value.
void match(Warp& warp, const Step& step, Mask lanes) {
  const bool all = step.attribute != 0;
  Wides values{};
  for_each_lane(lanes, [&](int lane) { values[at(lane)] = lane_value(warp.registers, step.input(0), lane); });
  Mask equal = 0;
  for_each_lane(lanes, [&](int lane) {
    Mask same = 0;
    for_each_lane(lanes, [&](int other) { same |= values[at(other)] == values[at(lane)] ? lane_bit(other) : 0; });
    equal |= same == lanes ? lane_bit(lane) : 0;
    set_lane_value(warp.registers, step.output(0), lane, all && same != lanes ? 0 : same);
  });
  if (step.outputs > 1)
    warp.registers.set_predicate(step.output(1), lanes, equal);
}

void decode_match(StepBuilder& builder) {
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() != 4 || modifiers[2] != "sync")
    builder.refuse("the simulator has no handler for it");
  builder.expect_operands(3, 3);
  const ptx::Operand& destination = builder.operand(0);
  const bool pair = destination.kind == Kind::pair;
  builder.output(pair ? destination.elements[0] : destination, 32);
  if (pair)
    builder.output(destination.elements[1], 1);
  builder.input(builder.operand(1), modifiers.back() == "b64" ? 64 : 32);
  builder.input(builder.operand(2), 32);
  builder.step.attribute = modifiers[1] == "all" ? 1 : 0;
  builder.step.handler = match;
  builder.step.convergence = Convergence::members;
  builder.step.category = Category::warp_exchange;
}

template <class Reduce>
void reduce(Warp& warp, const Step& step, Mask lanes) {
  const Words source = warp.registers.words[step.input(0).at];
  std::uint32_t result = source[at(std::countr_zero(lanes))];
  for_each_lane(lanes & (lanes - 1), [&](int lane) { result = Reduce{}(result, source[at(lane)]); });
  for_each_lane(lanes, [&](int lane) { set_lane_value(warp.registers, step.output(0), lane, result); });
}

void decode_redux(StepBuilder& builder) {
  using u32 = std::uint32_t;
  using s32 = std::int32_t;
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() != 4 || modifiers[1] != "sync" || modifiers[3] == "f32")
    builder.refuse("the simulator has no handler for it");
  builder.expect_operands(3, 3);
  builder.output(builder.operand(0), 32);
  builder.input(builder.operand(1), 32);
  builder.input(builder.operand(2), 32);
  Step& step = builder.step;
  step.convergence = Convergence::members;
  step.category = Category::warp_exchange;
  const bool is_signed = modifiers[3] == "s32";
  const std::string_view operation = modifiers[2];
  constexpr auto add = [](u32 a, u32 b) { return a + b; };
  constexpr auto smaller = [](u32 a, u32 b) { return std::min(a, b); };
  constexpr auto larger = [](u32 a, u32 b) { return std::max(a, b); };
  constexpr auto signed_smaller = [](u32 a, u32 b) {
    return static_cast<u32>(std::min(static_cast<s32>(a), static_cast<s32>(b)));
  };
  constexpr auto signed_larger = [](u32 a, u32 b) {
    return static_cast<u32>(std::max(static_cast<s32>(a), static_cast<s32>(b)));
  };
  constexpr auto conjunction = [](u32 a, u32 b) { return a & b; };
  constexpr auto disjunction = [](u32 a, u32 b) { return a | b; };
  constexpr auto exclusive = [](u32 a, u32 b) { return a ^ b; };
  if (operation == "add")
    step.handler = reduce<decltype(add)>;
  else if (operation == "min")
    step.handler = is_signed ? reduce<decltype(signed_smaller)> : reduce<decltype(smaller)>;
  else if (operation == "max")
    step.handler = is_signed ? reduce<decltype(signed_larger)> : reduce<decltype(larger)>;
  else if (operation == "and")
    step.handler = reduce<decltype(conjunction)>;
  else if (operation == "or")
    step.handler = reduce<decltype(disjunction)>;
  else if (operation == "xor")
    step.handler = reduce<decltype(exclusive)>;
  else
    builder.refuse("its operation is not served");
}

void activemask(Warp& warp, const Step& step, Mask lanes) {
  for_each_lane(lanes, [&](int lane) { set_lane_value(warp.registers, step.output(0), lane, lanes); });
}

void decode_activemask(StepBuilder& builder) {
  builder.expect_operands(1, 1);
  builder.output(builder.operand(0), 32);
  builder.step.handler = activemask;
  builder.step.category = Category::warp_exchange;
}

// 9.7.13.14: some lane, always the same one; here the lowest.
void elect(Warp& warp, const Step& step, Mask lanes) {
  const int leader = std::countr_zero(lanes);
  for_each_lane(lanes, [&](int lane) {
    set_lane_value(warp.registers, step.output(0), lane, static_cast<std::uint32_t>(leader));
  });
  warp.registers.set_predicate(step.output(1), lanes, lane_bit(leader));
}

void decode_elect(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  const ptx::Operand& destination = builder.operand(0);
  if (destination.kind != Kind::pair)
    builder.refuse("its destination is not d|p");
  builder.output(destination.elements[0], 32);
  builder.output(destination.elements[1], 1);
  builder.input(builder.operand(1), 32);
  builder.step.handler = elect;
  builder.step.convergence = Convergence::members;
  builder.step.category = Category::warp_exchange;
}

}  // namespace

void register_warp_exchange(Registry& registry) {
  registry.add("shfl", decode_shfl);
  registry.add("vote", decode_vote);
  registry.add("match", decode_match);
  registry.add("redux", decode_redux);
  registry.add("activemask", decode_activemask);
  registry.add("elect", decode_elect);
}

}  // namespace attentune::simulator
