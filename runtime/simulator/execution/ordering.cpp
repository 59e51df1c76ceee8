#include "runtime/simulator/execution/ordering.h"

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/shared_place.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

void observe(Warp& warp, std::uint64_t location, Order order) {
  if (!warp.launch().options.races)
    return;
  const auto found = warp.launch().locations.find(location);
  if (found == warp.launch().locations.end())
    return;
  if (order == Order::acquire || order == Order::acquire_release)
    warp.clock.join(found->second);
  else
    warp.fence_acquiring.join(found->second);
}

void publish(Warp& warp, std::uint64_t location, Order order, bool update) {
  if (!warp.launch().options.races)
    return;
  VectorClock& released = warp.launch().locations[location];
  if (!update)
    released = {};
  if (order == Order::release || order == Order::acquire_release) {
    released.join(warp.clock);
    warp.tick();
  } else if (!warp.fence_released.empty()) {
    released.join(warp.fence_released);
  }
}

void fence(Warp& warp) {
  if (!warp.launch().options.races)
    return;
  warp.clock.join(warp.fence_acquiring);
  warp.fence_acquiring = {};
  warp.fence_released = warp.clock;
  warp.tick();
}

void fence_proxy(Warp& warp) {
  if (!warp.launch().options.races || !warp.launch().timelines.async_proxy)
    return;
  warp.clock.fence_proxy(warp.launch().timelines);
  warp.tick();
}

std::uint64_t unique_location(const Warp& warp, Space space, std::uint64_t address) {
  if (space != Space::shared)
    return address;
  const SharedPlace place = shared_place(warp, address, 0);
  return window_of(Space::shared) | place.block->index() << cluster_rank_shift | place.address;
}

}  // namespace attentune::simulator
