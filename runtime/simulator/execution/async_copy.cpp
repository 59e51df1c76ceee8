#include "runtime/simulator/execution/async_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

namespace {

constexpr std::size_t at(int lane) noexcept { return static_cast<std::size_t>(lane); }

void move(Warp& warp, const CopyPart& part) {
  if (part.read != 0)
    std::memcpy(part.destination, part.source, part.read);
  std::memset(part.destination + part.read, 0, static_cast<std::size_t>(part.bytes - part.read));
  warp.block().shared.written.set(part.shared_offset, part.bytes);
}

void learn(Warp& warp) {
  if (warp.launch().options.races)
    warp.clock.learn({.timeline = warp.copy_epoch().timeline, .time = warp.copies.complete_through()});
}

}  // namespace

std::uint32_t AsyncCopies::complete_through() const noexcept {
  std::uint32_t first = batch;
  for (std::size_t lane = 0; lane < warp_size; ++lane) {
    for (const Group group : groups[lane]) {
      if (group != 0)
        first = std::min(first, group);
    }
    if (open_first[lane] != 0)
      first = std::min(first, open_first[lane]);
  }
  return first - 1;
}

void issue_copy(Warp& warp, const CopyPart& part) {
  AsyncCopies& copies = warp.copies;
  if (copies.open_first[part.lane] == 0)
    copies.open_first[part.lane] = copies.batch;
  if (warp.launch().options.asynchrony == Asynchrony::eager)
    return move(warp, part);
  // Until it has arrived, nothing is there to be read.
  warp.block().shared.written.set(part.shared_offset, part.bytes, false);
  copies.pending.push_back(part);
  copies.pending.back().batch = copies.batch;
}

std::uint32_t close_batch(Warp& warp) { return warp.copies.batch++; }

void commit_copies(Warp& warp, Mask lanes) {
  for_each_lane(lanes, [&](int lane) {
    warp.copies.groups[at(lane)].push_back(std::exchange(warp.copies.open_first[at(lane)], 0));
  });
  close_batch(warp);
}

void wait_for_groups(Warp& warp, Mask lanes, std::size_t most) {
  AsyncCopies& copies = warp.copies;
  for_each_lane(lanes, [&](int lane) {
    while (copies.groups[at(lane)].size() > most)
      copies.groups[at(lane)].pop_front();
    // Everything before the lane's first copy still under way.
    std::uint32_t first = copies.open_first[at(lane)] != 0 ? copies.open_first[at(lane)] : copies.batch;
    for (const AsyncCopies::Group group : copies.groups[at(lane)])
      first = group != 0 ? std::min(first, group) : first;
    if (!copies.pending.empty())
      move_copies(warp, lane_bit(lane), first - 1);
  });
  learn(warp);
}

void wait_for_all_copies(Warp& warp, Mask lanes) {
  for_each_lane(lanes, [&](int lane) {
    warp.copies.groups[at(lane)].clear();
    warp.copies.open_first[at(lane)] = 0;
  });
  move_copies(warp, lanes, close_batch(warp));
  learn(warp);
}

void move_copies(Warp& warp, Mask lanes, std::uint32_t through) {
  std::vector<CopyPart>& pending = warp.copies.pending;
  const auto first = std::partition(pending.begin(), pending.end(), [&](const CopyPart& part) {
    return part.batch > through || !has_lane(lanes, part.lane);
  });
  // Any order is as good as any other: a backwards walk with seeded swaps.
  for (auto last = pending.end(); last != first; --last) {
    const auto chosen = first + warp.launch().random.below(static_cast<std::uint32_t>(last - first));
    std::iter_swap(chosen, last - 1);
    move(warp, *(last - 1));
  }
  pending.erase(first, pending.end());
}

}  // namespace attentune::simulator
