// The special registers the simulator serves (PTX ISA 9.0, chapter 10).
#pragma once

#include <string_view>

#include "runtime/simulator/decode/kernel.h"

namespace attentune::simulator {

// Throws std::out_of_range for any other.
[[nodiscard]] Special special_register(std::string_view name);

}  // namespace attentune::simulator
