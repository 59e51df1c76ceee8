#include "runtime/simulator/execution/block.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace attentune::simulator {

namespace {

// How long one block goes on before another may, and one warp before another of its block: mostly long enough to stay
// in the cache, sometimes a step or two, so that orders vary.
constexpr int picks_a_turn = 64;
constexpr std::uint32_t longest_stretch = 128;

Extent position_of(std::uint64_t index, const Extent& grid) noexcept {
  return {.x = static_cast<std::uint32_t>(index % grid.x),
          .y = static_cast<std::uint32_t>(index / grid.x % grid.y),
          .z = static_cast<std::uint32_t>(index / (std::uint64_t{grid.x} * grid.y))};
}

}  // namespace

Block::Block(Launch& launch, std::uint32_t slot)
    : shared(launch.shared_bytes, launch.options.races), launch_(&launch), slot_(slot) {
  for (std::uint32_t i = 0; i < launch.warps; ++i)
    warps_.push_back(std::make_unique<Warp>(*this, i));
}

void Block::start(std::uint64_t index) {
  index_ = index;
  position_ = position_of(index, launch_->shape.grid);
  live_threads_ = static_cast<std::uint32_t>(launch_->shape.block.count());
  shared.written = ByteBits(shared.bytes.size());
  shared.shadow.clear();
  barriers = {};
  mbarriers.clear();
  late.clear();
  for (const auto& warp : warps_)
    warp->reset();
}

bool Block::done() const noexcept { return live_threads_ == 0; }

bool Block::can_run() const noexcept {
  return std::ranges::any_of(warps_, [](const auto& warp) { return warp->can_run(); });
}

void Block::turn() {
  std::array<std::uint32_t, max_warps> ready{};
  for (int pick = 0; pick < picks_a_turn; ++pick) {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < warps_.size(); ++i) {
      if (warps_[i]->can_run())
        ready[count++] = i;
    }
    if (count == 0)
      return;
    Warp& chosen = *warps_[ready[launch_->random.below(count)]];
    const std::uint32_t longest = longest_stretch >> launch_->random.below(7);
    chosen.run(static_cast<int>(1 + launch_->random.below(longest)));
  }
}

void Block::release(PathState state, std::uint64_t waits_for) {
  ++launch_->progress;
  for (const auto& warp : warps_)
    warp->release(state, waits_for);
}

void Block::pass_time_limit() {
  for (const auto& warp : warps_)
    warp->release_all(PathState::mbarrier);
}

void Block::threads_exited(std::uint32_t count) {
  live_threads_ -= count;
  for (std::size_t id = 0; id < barriers.size(); ++id)
    check_barrier(id);
}

void Block::check_barrier(std::size_t id) {
  Barrier& barrier = barriers[id];
  const std::uint32_t expected = barrier.expected == 0 ? live_threads_ : barrier.expected;
  if (!barrier.in_use || barrier.arrived < expected)
    return;
  Barrier fresh{.last_true_count = barrier.true_count, .last_lanes = barrier.lane_count};
  fresh.last_clock = std::move(barrier.clock);
  barrier = std::move(fresh);
  release(PathState::barrier, id);
}

void Block::check_mbarrier(std::uint64_t address, MBarrier& mbarrier) {
  if (mbarrier.pending != 0 || mbarrier.transactions != 0)
    return;
  ++mbarrier.phase;
  mbarrier.pending = mbarrier.expected;
  mbarrier.completed.join(mbarrier.arriving);
  mbarrier.arriving = {};
  release(PathState::mbarrier, address);
}

std::string Block::describe() const {
  std::string text;
  for (const auto& warp : warps_)
    text += warp->describe();
  return text;
}

}  // namespace attentune::simulator
