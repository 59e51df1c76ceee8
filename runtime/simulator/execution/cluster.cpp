#include "runtime/simulator/execution/cluster.h"

#include <algorithm>
#include <utility>

namespace attentune::simulator {

namespace {

Extent position(std::uint64_t index, const Extent& in) noexcept {
  return {.x = static_cast<std::uint32_t>(index % in.x),
          .y = static_cast<std::uint32_t>(index / in.x % in.y),
          .z = static_cast<std::uint32_t>(index / (std::uint64_t{in.x} * in.y))};
}

}  // namespace

Cluster::Cluster(Launch& launch, std::uint32_t slot) : launch_(&launch) {
  const auto count = static_cast<std::uint32_t>(launch.shape.cluster.count());
  for (std::uint32_t rank = 0; rank < count; ++rank)
    blocks_.push_back(std::make_unique<Block>(launch, *this, rank, slot + rank));
}

void Cluster::start(std::uint64_t index) {
  const Extent& grid = launch_->shape.grid;
  const Extent& size = launch_->shape.cluster;
  const Extent first = position(index, {.x = grid.x / size.x, .y = grid.y / size.y, .z = grid.z / size.z});
  barrier = {};
  for (std::uint32_t rank = 0; rank < blocks_.size(); ++rank) {
    const Extent within = position(rank, size);
    blocks_[rank]->start(
        {.x = first.x * size.x + within.x, .y = first.y * size.y + within.y, .z = first.z * size.z + within.z});
  }
}

bool Cluster::done() const noexcept {
  return std::ranges::all_of(blocks_, [](const auto& block) { return block->done(); });
}

bool Cluster::can_run() const noexcept {
  return std::ranges::any_of(blocks_, [](const auto& block) { return block->can_run(); });
}

void Cluster::turn() {
  std::size_t chosen = blocks_.size() == 1 ? 0 : launch_->random.below(size());
  while (!blocks_[chosen]->can_run())
    chosen = (chosen + 1) % blocks_.size();
  blocks_[chosen]->turn();
}

bool Cluster::complete_late() {
  return std::ranges::any_of(blocks_, [](const auto& block) { return block->complete_late(); });
}

void Cluster::pass_time_limit() {
  for (const auto& block : blocks_)
    block->pass_time_limit();
}

std::string Cluster::describe() const {
  std::string text;
  for (const auto& block : blocks_)
    text += block->describe();
  return text;
}

void Cluster::check_barrier() {
  std::uint32_t live = 0;
  for (const auto& block : blocks_)
    live += block->threads();
  if (barrier.arrived == 0 || barrier.arrived < live)
    return;
  barrier.arrived = 0;
  ++barrier.generation;
  barrier.last_clock = std::exchange(barrier.clock, {});
  for (const auto& block : blocks_)
    block->release(PathState::cluster_barrier, 0);
}

}  // namespace attentune::simulator
