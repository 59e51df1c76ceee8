// Operations that complete some time after they were issued: what happens when they do.
#include <cstddef>
#include <cstdint>
#include <utility>

#include "runtime/simulator/execution/async_copy.h"
#include "runtime/simulator/execution/block.h"

namespace attentune::simulator {

bool Block::complete_late() {
  if (late.empty() && late_loads.empty())
    return false;
  const std::size_t chosen = launch_->random.below(static_cast<std::uint32_t>(late.size() + late_loads.size()));
  if (chosen >= late.size()) {
    const auto load = late_loads.begin() + static_cast<std::ptrdiff_t>(chosen - late.size());
    const BulkLoad arrived = std::move(*load);
    late_loads.erase(load);
    complete_load(arrived);
    return true;
  }
  const PendingArrival arrival = late[chosen];
  late.erase(late.begin() + static_cast<std::ptrdiff_t>(chosen));
  complete(arrival);
  return true;
}

// The arrival tells of the copies and of nothing else its warp did before: cp.async.mbarrier.arrive releases nothing.
void Block::complete(const PendingArrival& arrival) {
  ++launch_->progress;
  move_copies(warp(arrival.warp), arrival.lanes, arrival.copies.time);
  const auto found = mbarriers.find(arrival.mbarrier);
  if (found == mbarriers.end())
    return;
  MBarrier& mbarrier = found->second;
  if (launch_->options.races) {
    VectorClock copied(first_timeline(), launch_->timelines.count());
    copied.learn(arrival.copies);
    mbarrier.arriving.join(copied);
  }
  mbarrier.pending -= arrival.count;
  check_mbarrier(arrival.mbarrier, mbarrier);
}

}  // namespace attentune::simulator
