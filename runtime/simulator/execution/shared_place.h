// Whose shared memory an address names.
#pragma once

#include <cstdint>

#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

struct SharedPlace {
  Block* block = nullptr;
  std::uint64_t address = 0;  // in that block's own window
};

// `address`: .shared::cta or .shared::cluster. Stops the run where there is no such block, or it has exited.
[[nodiscard]] SharedPlace shared_place(const Warp& warp, std::uint64_t address, Mask lanes);

}  // namespace attentune::simulator
