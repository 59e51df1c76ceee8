// atom and red: PTX ISA 9.0, sections 9.7.13.5 and 9.7.13.6.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/ordering.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/instructions/memory_form.h"
#include "runtime/simulator/memory/windows.h"
#include "runtime/simulator/numerics/float_arithmetic.h"

namespace attentune::simulator {

namespace {

enum class Update : std::uint8_t {
  bit_and,
  bit_or,
  bit_xor,
  exchange,
  compare_exchange,
  add,
  increment,
  decrement,
  min,
  max
};
enum class Number : std::uint8_t { bits, u32, u64, s32, s64, f32, f64 };

template <class T>
T updated(Update update, T old, T b, T c) noexcept {
  switch (update) {
    case Update::exchange:
      return b;
    case Update::compare_exchange:
      return old == b ? c : old;
    case Update::add:
      return static_cast<T>(old + b);
    case Update::min:
      return std::min(old, b);
    case Update::max:
      return std::max(old, b);
    default:
      break;
  }
  if constexpr (std::is_unsigned_v<T>) {
    switch (update) {
      case Update::bit_and:
        return old & b;
      case Update::bit_or:
        return old | b;
      case Update::bit_xor:
        return old ^ b;
      case Update::increment:
        return old >= b ? 0 : old + 1;
      case Update::decrement:
        return old == 0 || old > b ? b : old - 1;
      default:
        break;
    }
  }
  return old;
}

template <class T>
std::uint64_t updated_as(Update update, std::uint64_t old, std::uint64_t b, std::uint64_t c) noexcept {
  return static_cast<std::uint64_t>(updated(update, static_cast<T>(old), static_cast<T>(b), static_cast<T>(c)));
}

std::uint64_t new_value(Update update, Number number, Space space, std::uint64_t old, std::uint64_t b,
                        std::uint64_t c) noexcept {
  switch (number) {
    case Number::s32:
      // add wraps and min and max only choose: signs matter for the latter two.
      return update == Update::add ? updated_as<std::uint32_t>(update, old, b, c)
                                   : updated_as<std::int32_t>(update, old, b, c);
    case Number::s64:
      return update == Update::add ? updated_as<std::uint64_t>(update, old, b, c)
                                   : updated_as<std::int64_t>(update, old, b, c);
    case Number::u32:
      return updated_as<std::uint32_t>(update, old, b, c);
    case Number::f32: {
      const auto value = [](std::uint64_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); };
      // 9.7.13.5: on global memory it flushes subnormals, on shared memory it does not.
      return std::bit_cast<std::uint32_t>(numerics::add(value(old), value(b), {.ftz = space == Space::global}));
    }
    case Number::f64:
      return std::bit_cast<std::uint64_t>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
    case Number::bits:
    case Number::u64:
      break;
  }
  return updated_as<std::uint64_t>(update, old, b, c);
}

// Inputs: address, b, and c for cas. attribute: Update and Number.
void run(Warp& warp, const Step& step, Mask lanes) {
  const MemoryForm& form = step.memory;
  const auto update = static_cast<Update>(step.attribute & 0xFF);
  const auto number = static_cast<Number>(step.attribute >> 8);
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  const Located located =
      warp.locate(addresses, lanes, {.space = form.space, .bytes = form.element_bytes, .kind = AccessKind::atomic});
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    const bool generic = form.space == Space::generic;
    const Space space = generic ? space_of(addresses[at]) : form.space;
    const std::uint64_t location = unique_location(warp, space, generic ? within_window(addresses[at]) : addresses[at]);
    observe(warp, location, form.order);
    std::uint64_t old = 0;
    std::memcpy(&old, located[at], form.element_bytes);
    const std::uint64_t b = lane_value(warp.registers, step.input(1), lane);
    const std::uint64_t c = step.inputs > 2 ? lane_value(warp.registers, step.input(2), lane) : 0;
    const std::uint64_t value = new_value(update, number, space, old, b, c);
    std::memcpy(located[at], &value, form.element_bytes);
    warp.launch().progress += value != old ? 1 : 0;
    publish(warp, location, form.order, true);
    for (std::size_t i = 0; i < step.outputs; ++i)
      set_lane_value(warp.registers, step.output(i), lane, old);
  });
}

void decode(StepBuilder& builder) {
  constexpr std::array<std::pair<std::string_view, Update>, 10> updates{{{"and", Update::bit_and},
                                                                         {"or", Update::bit_or},
                                                                         {"xor", Update::bit_xor},
                                                                         {"exch", Update::exchange},
                                                                         {"cas", Update::compare_exchange},
                                                                         {"add", Update::add},
                                                                         {"inc", Update::increment},
                                                                         {"dec", Update::decrement},
                                                                         {"min", Update::min},
                                                                         {"max", Update::max}}};
  constexpr std::array<std::pair<std::string_view, Number>, 8> numbers{{{"b32", Number::u32},
                                                                        {"b64", Number::bits},
                                                                        {"u32", Number::u32},
                                                                        {"u64", Number::u64},
                                                                        {"s32", Number::s32},
                                                                        {"s64", Number::s64},
                                                                        {"f32", Number::f32},
                                                                        {"f64", Number::f64}}};
  Step& step = builder.step;
  step.memory.order = Order::relaxed;  // 9.7.13.5: what none means
  step.category = Category::atomic;
  step.handler = run;
  const auto& modifiers = builder.modifiers();
  const auto update = std::ranges::find_if(
      updates, [&](const auto& row) { return modifiers.size() > 2 && row.first == modifiers[modifiers.size() - 2]; });
  const auto number =
      std::ranges::find(numbers, std::string_view(modifiers.back()), &std::pair<std::string_view, Number>::first);
  if (update == updates.end() || number == numbers.end())
    builder.refuse("the simulator has no handler for it");
  const bool is_float = number->second == Number::f32 || number->second == Number::f64;
  if (is_float && update->second != Update::add)
    builder.refuse("floats are only added");
  for (std::size_t i = 1; i + 2 < modifiers.size(); ++i) {
    if (!take_memory_modifier(modifiers[i], step.memory))
      builder.refuse("a modifier is not served");
  }
  const int bits = modifiers.back().ends_with("64") ? 64 : 32;
  step.memory.element_bytes = static_cast<std::uint8_t>(bits / 8);
  step.attribute = static_cast<std::uint32_t>(update->second) | static_cast<std::uint32_t>(number->second) << 8;
  const bool returns = modifiers.front() == "atom";
  const std::size_t sources = update->second == Update::compare_exchange ? 2 : 1;
  builder.expect_operands(sources + (returns ? 2 : 1), sources + (returns ? 2 : 1));
  std::size_t next = 0;
  if (returns)
    builder.output(builder.operand(next++), bits);
  builder.address(builder.operand(next++), step.memory.space);
  for (std::size_t i = 0; i < sources; ++i)
    builder.input(builder.operand(next++), bits);
}

}  // namespace

void register_atomics(Registry& registry) {
  registry.add("atom", decode);
  registry.add("red", decode);
}

}  // namespace attentune::simulator
