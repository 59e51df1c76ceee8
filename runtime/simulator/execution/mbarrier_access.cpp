#include "runtime/simulator/execution/mbarrier_access.h"

#include <fmt/format.h>

#include "runtime/simulator/execution/async_access.h"
#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/shared_place.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

NamedMBarrier find_mbarrier(Warp& warp, Space space, std::uint64_t address, int lane, AccessKind kind) {
  const std::uint64_t within = space == Space::generic ? within_window(address) : address;
  // 9.7.13.15.1: aligned to its size.
  if (within % 8 != 0)
    warp.fail(FaultKind::misaligned, lane_bit(lane),
              fmt::format("an mbarrier at shared {:#x}, which is not a multiple of 8", within));
  const SharedPlace place = shared_place(warp, within, lane_bit(lane));
  const auto found = place.block->mbarriers.find(place.address);
  if (found == place.block->mbarriers.end()) {
    warp.fail(
        FaultKind::barrier, lane_bit(lane),
        fmt::format("there is no mbarrier at shared {:#x}: none was initialized there, or it was invalidated", within));
  }
  Addresses one{};
  one[static_cast<std::size_t>(lane)] = within;
  warp.locate(one, lane_bit(lane), {.space = Space::shared, .bytes = 8, .kind = kind});
  return {.block = place.block, .address = place.address, .mbarrier = &found->second};
}

void expect_bytes(const Warp& warp, const NamedMBarrier& named, std::int64_t bytes, Mask lanes) {
  std::int64_t& transactions = named.mbarrier->transactions;
  transactions += bytes;
  if (transactions > mbarrier_max_count || transactions < -std::int64_t{mbarrier_max_count})
    warp.fail(FaultKind::barrier, lanes,
              fmt::format("the tx-count of the mbarrier at shared {:#x} becomes {} bytes, outside of +-{}",
                          named.address, transactions, mbarrier_max_count));
}

void check_last_phase_seen(const Warp& warp, const NamedMBarrier& named, Mask lanes) {
  if (named.mbarrier->seen)
    return;
  warp.fail(
      FaultKind::barrier, lanes,
      fmt::format("an arrival in phase {} of the mbarrier at shared {:#x}, and nobody has seen phase {} complete: "
                  "whoever waits for that one can no longer tell",
                  named.mbarrier->phase, named.address, named.mbarrier->phase - 1));
}

void publish_mbarriers(Warp& warp) {
  for (auto& [address, mbarrier] : warp.block().mbarriers) {
    if (mbarrier.initialized.timeline == warp.now().timeline && mbarrier.published.time == 0)
      mbarrier.published = warp.now();
  }
}

void check_published(const Warp& warp, const NamedMBarrier& named, int lane) {
  const Options& options = warp.launch().options;
  if (!options.strict || !options.races)
    return;
  const MBarrier& mbarrier = *named.mbarrier;
  const bool published = mbarrier.published.time != 0 && warp.clock.knows(mbarrier.published);
  if (published || known_to_async_proxy(warp, mbarrier.initialized))
    return;
  warp.fail(FaultKind::race, lane_bit(lane),
            fmt::format("a bulk copy signals the mbarrier at shared {:#x}, which was initialized in the generic proxy, "
                        "and neither fence.mbarrier_init nor fence.proxy.async stands between",
                        named.address));
}

}  // namespace attentune::simulator
