// Acquire and release through locations and fences (PTX ISA 9.0, sections 8.8 and 8.9): what a warp that releases has
// seen, whoever acquires the same location afterwards has seen too.
#pragma once

#include <cstdint>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

// A strong read of a location, or the reading half of an atomic. `location`: unique_location().
void observe(Warp& warp, std::uint64_t location, Order order);
// A strong write; `update`: the writing half of an atomic, which carries on what others released there before.
void publish(Warp& warp, std::uint64_t location, Order order, bool update);
// fence.acq_rel, fence.sc, membar.
void fence(Warp& warp);
// fence.proxy.async: generic accesses before it stand before asynchronous ones after it (section 9.7.13.4).
void fence_proxy(Warp& warp);

// A location's key over the whole grid: shared memory is one a block.
[[nodiscard]] std::uint64_t unique_location(const Warp& warp, Space space, std::uint64_t address);

}  // namespace attentune::simulator
