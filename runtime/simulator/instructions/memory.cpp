// ld, st and prefetch: PTX ISA 9.0, sections 9.7.9.8 to 9.7.9.18.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/ordering.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/instructions/memory_form.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

// The space and address a lane's generic address stands for.
std::uint64_t location_of(const Warp& warp, const Step& step, std::uint64_t address) noexcept {
  const bool generic = step.memory.space == Space::generic;
  const Space space = generic ? space_of(address) : step.memory.space;
  return unique_location(warp, space, generic ? within_window(address) : address);
}

template <class T>
std::uint64_t read_as(const std::byte* source, bool sign_extended) noexcept {
  T value;
  std::memcpy(&value, source, sizeof(T));
  if (!sign_extended)
    return value;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(value)));
}

std::uint64_t read_element(const std::byte* source, const MemoryForm& form) noexcept {
  switch (form.element_bytes) {
    case 1:
      return read_as<std::uint8_t>(source, form.sign_extended);
    case 2:
      return read_as<std::uint16_t>(source, form.sign_extended);
    case 4:
      return read_as<std::uint32_t>(source, form.sign_extended);
    default:
      return read_as<std::uint64_t>(source, false);
  }
}

void load(Warp& warp, const Step& step, Mask lanes) {
  const MemoryForm& form = step.memory;
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  const bool strong = is_strong(form.order);
  const Located located = warp.locate(
      addresses, lanes,
      {.space = form.space, .bytes = form.bytes(), .kind = strong ? AccessKind::strong_read : AccessKind::read});
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    for (std::size_t i = 0; i < form.elements; ++i)
      set_lane_value(warp.registers, step.output(i), lane, read_element(located[at] + i * form.element_bytes, form));
    if (strong)
      observe(warp, location_of(warp, step, addresses[at]), form.order);
  });
}

void store(Warp& warp, const Step& step, Mask lanes) {
  const MemoryForm& form = step.memory;
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  const bool strong = is_strong(form.order);
  StoredBytes stored;
  for_each_lane(lanes, [&](int lane) {
    for (std::size_t i = 0; i < form.elements; ++i) {
      const std::uint64_t value = lane_value(warp.registers, step.input(1 + i), lane);
      std::byte* const to = stored[static_cast<std::size_t>(lane)].data() + i * form.element_bytes;
      std::memcpy(to, &value, form.element_bytes);  // both little-endian
    }
  });
  const Located located = warp.locate(addresses, lanes,
                                      {.space = form.space,
                                       .bytes = form.bytes(),
                                       .kind = strong ? AccessKind::atomic : AccessKind::write,
                                       .reads = false,
                                       .stored = strong ? nullptr : &stored});
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    std::memcpy(located[at], stored[at].data(), form.bytes());
    if (!strong)
      return;
    ++warp.launch().progress;
    publish(warp, location_of(warp, step, addresses[at]), form.order, false);
  });
}

// ld{.order{.scope}}{.space}{.hints}{.v2, .v4, .v8}.type
void decode_form(StepBuilder& builder, ElementType& type) {
  MemoryForm& form = builder.step.memory;
  const auto& modifiers = builder.modifiers();
  for (std::size_t i = 1; i + 1 < modifiers.size(); ++i) {
    const std::string_view modifier = modifiers[i];
    if (modifier == "v2" || modifier == "v4" || modifier == "v8")
      form.elements = static_cast<std::uint8_t>(modifier[1] - '0');
    else if (!take_memory_modifier(modifier, form))
      builder.refuse("a modifier is not served");
  }
  type = element_type(builder, modifiers.back());
  form.element_bytes = static_cast<std::uint8_t>(type.bits / 8);
  form.sign_extended = type.is_signed;
  builder.step.memory = form;
}

// 9.4.1: registers may be wider than the type; ones of 8 bits do not exist, so 16 hold 8 too.
void decode_ld(StepBuilder& builder) {
  // A third operand is a cache policy.
  builder.expect_operands(2, 3);
  ElementType type;
  decode_form(builder, type);
  Step& step = builder.step;
  builder.outputs(builder.operand(0), std::max(type.bits, 16), step.memory.elements, true);
  builder.address(builder.operand(1), step.memory.space);
  step.handler = load;
  step.category = Category::load;
}

void decode_st(StepBuilder& builder) {
  builder.expect_operands(2, 3);
  ElementType type;
  decode_form(builder, type);
  Step& step = builder.step;
  builder.address(builder.operand(0), step.memory.space);
  builder.inputs(builder.operand(1), std::max(type.bits, 16), step.memory.elements, true);
  step.handler = store;
  step.category = Category::store;
}

// Hints change nothing that can be seen.
void nothing(Warp& /*warp*/, const Step& /*step*/, Mask /*lanes*/) {}

void decode_hint(StepBuilder& builder) {
  builder.step.handler = nothing;
  builder.step.category = Category::move;
}

// createpolicy.fractional...b64 pol, 1.0: an opaque value.
void make_policy(Warp& warp, const Step& step, Mask lanes) {
  for_each_lane(lanes, [&](int lane) { set_lane_value(warp.registers, step.output(0), lane, 0); });
}

void decode_createpolicy(StepBuilder& builder) {
  builder.output(builder.operand(0), 64);
  builder.step.handler = make_policy;
}

}  // namespace

void register_memory(Registry& registry) {
  registry.add("ld", decode_ld);
  registry.add("ldu", decode_ld);
  registry.add("st", decode_st);
  registry.add("prefetch", decode_hint);
  registry.add("prefetchu", decode_hint);
  registry.add("applypriority", decode_hint);
  registry.add("createpolicy", decode_createpolicy);
}

}  // namespace attentune::simulator
