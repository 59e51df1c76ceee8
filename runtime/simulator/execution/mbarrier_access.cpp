#include "runtime/simulator/execution/mbarrier_access.h"

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

MBarrier& find_mbarrier(Warp& warp, Space space, std::uint64_t address, int lane, AccessKind kind) {
  const std::uint64_t within = space == Space::generic ? within_window(address) : address;
  const auto found = warp.block().mbarriers.find(within);
  if (found == warp.block().mbarriers.end()) {
    warp.fail(
        FaultKind::barrier, lane_bit(lane),
        fmt::format("there is no mbarrier at shared {:#x}: none was initialized there, or it was invalidated", within));
  }
  Addresses one{};
  one[static_cast<std::size_t>(lane)] = within;
  warp.locate(one, lane_bit(lane), {.space = Space::shared, .bytes = 8, .kind = kind});
  return found->second;
}

}  // namespace attentune::simulator
