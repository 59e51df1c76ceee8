#include "runtime/simulator/execution/block.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/simulator/execution/cluster.h"

namespace attentune::simulator {

namespace {

// How long one block goes on before another may, and one warp before another of its block: mostly long enough to stay
// in the cache, sometimes a step or two, so that orders vary.
constexpr int picks_a_turn = 64;
constexpr std::uint32_t longest_stretch = 128;

}  // namespace

Block::Block(Launch& launch, Cluster& cluster, std::uint32_t rank, std::uint32_t slot)
    : shared(launch.shared_bytes, launch.options.races),
      launch_(&launch),
      cluster_(&cluster),
      rank_(rank),
      slot_(slot) {
  for (std::uint32_t i = 0; i < launch.warps; ++i)
    warps_.push_back(std::make_unique<Warp>(*this, i));
}

void Block::start(const Extent& position) {
  const Extent& grid = launch_->shape.grid;
  position_ = position;
  index_ = position.x + grid.x * (position.y + std::uint64_t{grid.y} * position.z);
  live_threads_ = static_cast<std::uint32_t>(launch_->shape.block.count());
  shared.written = ByteBits(shared.bytes.size());
  shared.shadow.clear();
  barriers = {};
  mbarriers.clear();
  next_mbarrier = 0;
  warpgroups.resize(launch_->timelines.warpgroups());
  for (std::uint32_t i = 0; i < warpgroups.size(); ++i)
    warpgroups[i].start(*this, i);
  registers.start(launch_->kernel, launch_->warps);
  late.clear();
  late_loads.clear();
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

bool Block::awaits_loads() const noexcept {
  for (std::uint32_t rank = 0; rank < cluster_->size(); ++rank) {
    for (const BulkLoad& load : cluster_->block(rank).late_loads) {
      if (std::ranges::find(load.targets, this, &BulkLoad::Target::block) != load.targets.end())
        return true;
    }
  }
  return false;
}

void Block::threads_exited(std::uint32_t count) {
  live_threads_ -= count;
  for (std::size_t id = 0; id < barriers.size(); ++id)
    check_barrier(id);
  cluster_->check_barrier();
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
  // Every byte has come, so every copy this phase was told of has.
  if (launch_->options.races && mbarrier.index < tracked_mbarriers && launch_->timelines.async_proxy)
    mbarrier.arriving.learn(bulk_epoch(mbarrier, mbarrier.phase));
  ++mbarrier.phase;
  mbarrier.seen = false;
  mbarrier.pending = mbarrier.expected;
  mbarrier.completed.join(mbarrier.arriving);
  mbarrier.arriving = {};
  release(PathState::mbarrier, address);
}

Epoch Block::bulk_epoch(const MBarrier& mbarrier, std::uint32_t phase) const noexcept {
  return {.timeline = first_timeline() + launch_->timelines.mbarrier(mbarrier.index), .time = phase + 1};
}

std::string Block::describe() const {
  std::string text;
  for (const auto& warp : warps_)
    text += warp->describe();
  return text;
}

}  // namespace attentune::simulator
