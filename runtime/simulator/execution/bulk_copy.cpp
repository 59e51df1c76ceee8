#include "runtime/simulator/execution/bulk_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/mbarrier_access.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

namespace {

constexpr std::size_t at(int lane) noexcept { return static_cast<std::size_t>(lane); }

void take(Block& block, BulkStore& store) {
  if (!store.taken.empty())
    return;
  for (const Piece& piece : store.pieces) {
    const std::byte* from = block.shared.bytes.data() + piece.shared_offset;
    store.taken.insert(store.taken.end(), from, from + piece.bytes);
  }
}

void write(Block& block, BulkStore& store) {
  take(block, store);
  const std::byte* from = store.taken.data();
  for (const Piece& piece : store.pieces) {
    if (piece.far != nullptr && store.reduction == Reduction::none)
      std::memcpy(piece.far, from, piece.bytes);
    else if (piece.far != nullptr)
      reduce(store.reduction, store.type, from, piece.far, piece.bytes);
    from += piece.bytes;
  }
  ++block.launch().progress;
}

// The last batch of which no lane has a store it has not waited for.
std::uint32_t complete_through(const BulkStores& stores, const BulkStores::Groups& groups) noexcept {
  std::uint32_t first = stores.batch;
  for (int lane = 0; lane < warp_size; ++lane) {
    for (const std::uint32_t open : {groups.first_open(lane), stores.open_first[at(lane)]})
      first = open != 0 ? std::min(first, open) : first;
  }
  return first - 1;
}

}  // namespace

std::uint32_t BulkStores::Groups::first_open(int lane) const noexcept {
  for (const std::uint32_t group : of_lane[at(lane)]) {
    if (group != 0)
      return group;
  }
  return 0;
}

void complete_load(const BulkLoad& load) {
  for (const BulkLoad::Target& target : load.targets) {
    Block& block = *target.block;
    for (const Piece& piece : load.pieces) {
      std::memcpy(block.shared.bytes.data() + piece.shared_offset, piece.far != nullptr ? piece.far : load.fill.data(),
                  piece.bytes);
      block.shared.written.set(piece.shared_offset, piece.bytes);
    }
    ++block.launch().progress;
    const auto found = block.mbarriers.find(target.mbarrier);
    const NamedMBarrier named{.block = &block,
                              .address = target.mbarrier,
                              .mbarrier = found == block.mbarriers.end() ? nullptr : &found->second};
    if (named.mbarrier == nullptr || named.mbarrier->phase != target.phase)
      load.warp->fail_at(
          load.step, FaultKind::barrier, load.lanes,
          fmt::format("a bulk copy of {} bytes issued in phase {} of the mbarrier at shared {:#x} arrives "
                      "in another one: the phase was not told to expect its bytes",
                      load.bytes, target.phase, target.mbarrier));
    expect_bytes(*load.warp, named, -std::int64_t{load.bytes}, load.lanes);
    block.check_mbarrier(target.mbarrier, *named.mbarrier);
  }
}

void issue_store(Warp& warp, BulkStore store) {
  BulkStores& stores = warp.stores;
  if (stores.open_first[at(store.lane)] == 0)
    stores.open_first[at(store.lane)] = stores.batch;
  store.batch = stores.batch;
  if (warp.launch().options.asynchrony == Asynchrony::eager)
    return write(warp.block(), store);
  stores.pending.push_back(std::move(store));
}

void commit_stores(Warp& warp, Mask lanes) {
  BulkStores& stores = warp.stores;
  for_each_lane(lanes, [&](int lane) {
    const std::uint32_t first = std::exchange(stores.open_first[at(lane)], 0);
    stores.reads.of_lane[at(lane)].push_back(first);
    stores.writes.of_lane[at(lane)].push_back(first);
  });
  ++stores.batch;
}

void wait_for_stores(Warp& warp, Mask lanes, std::size_t most, bool reads_only) {
  BulkStores& stores = warp.stores;
  const auto leave = [&](BulkStores::Groups& groups, int lane) {
    while (groups.of_lane[at(lane)].size() > most)
      groups.of_lane[at(lane)].pop_front();
  };
  // A store is under way as long as it is in a group that is left, or in none yet.
  const auto under_way = [&](const BulkStores::Groups& groups, const BulkStore& store) {
    const std::uint32_t group = groups.first_open(store.lane);
    const std::uint32_t open = stores.open_first[at(store.lane)];
    return (group != 0 && store.batch >= group) || (open != 0 && store.batch >= open);
  };
  for_each_lane(lanes, [&](int lane) {
    leave(stores.reads, lane);
    if (!reads_only)
      leave(stores.writes, lane);
  });
  const auto left = std::partition(stores.pending.begin(), stores.pending.end(), [&](const BulkStore& store) {
    return !has_lane(lanes, store.lane) || under_way(stores.writes, store);
  });
  for (auto last = stores.pending.end(); last != left; --last) {
    const auto chosen = left + warp.launch().random.below(static_cast<std::uint32_t>(last - left));
    std::iter_swap(chosen, last - 1);
    write(warp.block(), *(last - 1));
  }
  stores.pending.erase(left, stores.pending.end());
  for (BulkStore& store : stores.pending) {
    if (has_lane(lanes, store.lane) && !under_way(stores.reads, store))
      take(warp.block(), store);
  }
  if (!warp.launch().options.races)
    return;
  warp.clock.learn(warp.bulk_read_epoch(complete_through(stores, stores.reads)));
  warp.clock.learn(warp.bulk_write_epoch(complete_through(stores, stores.writes)));
}

void finish_stores(Warp& warp, Mask lanes) {
  BulkStores& stores = warp.stores;
  for_each_lane(lanes, [&](int lane) {
    if (stores.open_first[at(lane)] != 0 || stores.reads.first_open(lane) != 0)
      warp.fail(FaultKind::barrier, lane_bit(lane),
                "the thread exits while a bulk copy of its own may still read shared memory: "
                "cp.async.bulk.wait_group{.read} 0 is missing");
  });
  for (BulkStore& store : stores.pending) {
    if (has_lane(lanes, store.lane))
      write(warp.block(), store);
  }
  std::erase_if(stores.pending, [&](const BulkStore& store) { return has_lane(lanes, store.lane); });
}

}  // namespace attentune::simulator
