// The modifiers ld, st, atom and red share: order, scope, state space, hints (PTX ISA 9.0, sections 8.4 and 8.5).
#pragma once

#include <string_view>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/decode/step_builder.h"

namespace attentune::simulator {

// Takes one modifier; false when it is none of them. Cache hints are taken and forgotten.
[[nodiscard]] bool take_memory_modifier(std::string_view modifier, MemoryForm& form);

struct ElementType {
  int bits = 32;
  bool is_signed = false;
};
// "u8" to "f64"; refuses others.
[[nodiscard]] ElementType element_type(const StepBuilder& builder, std::string_view name);

// The space addresses of this step are in: generic ones resolved per lane where the access is made.
[[nodiscard]] constexpr bool is_strong(Order order) noexcept { return order != Order::weak; }

}  // namespace attentune::simulator
