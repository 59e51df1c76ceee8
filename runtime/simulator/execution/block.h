// Block: its warps, shared memory and barriers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/simulator/execution/barrier.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/mbarrier.h"
#include "runtime/simulator/execution/register_pool.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/execution/warpgroup.h"
#include "runtime/simulator/memory/shared_memory.h"

namespace attentune::simulator {

// An arrival that comes when the copies of some lanes have completed (cp.async.mbarrier.arrive).
struct PendingArrival {
  std::uint32_t warp = 0;
  Mask lanes = 0;
  Epoch copies;  // those up to this moment
  std::uint64_t mbarrier = 0;
  std::uint32_t count = 0;
};

class Cluster;

class Block {
 public:
  Block(Launch& launch, Cluster& cluster, std::uint32_t rank, std::uint32_t slot);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Begins as the block at `position` of the grid.
  void start(const Extent& position);
  [[nodiscard]] bool done() const noexcept;
  [[nodiscard]] bool can_run() const noexcept;
  // Some steps of some warps, in seeded order.
  void turn();
  // Lets one late operation complete, in seeded order; false when none is under way.
  bool complete_late();
  void complete(const PendingArrival& arrival);
  // Every mbarrier.try_wait may say that its phase is not complete.
  void pass_time_limit();

  [[nodiscard]] Launch& launch() const noexcept { return *launch_; }
  [[nodiscard]] std::uint64_t index() const noexcept { return index_; }
  [[nodiscard]] const Extent& position() const noexcept { return position_; }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
  [[nodiscard]] Cluster& cluster() const noexcept { return *cluster_; }
  [[nodiscard]] std::uint32_t rank() const noexcept { return rank_; }  // in its cluster
  [[nodiscard]] std::uint32_t threads() const noexcept { return live_threads_; }
  [[nodiscard]] std::uint32_t first_timeline() const noexcept {
    return static_cast<std::uint32_t>(index_) * launch_->timelines.count();
  }

  SharedMemory shared;
  std::array<Barrier, barriers_per_block> barriers;
  std::map<std::uint64_t, MBarrier> mbarriers;  // by shared address
  std::uint32_t next_mbarrier = 0;              // how many have been initialized
  std::vector<Warpgroup> warpgroups;
  RegisterPool registers;
  std::vector<PendingArrival> late;
  std::vector<BulkLoad> late_loads;  // that its warps issued

  [[nodiscard]] Warp& warp(std::size_t index) noexcept { return *warps_[index]; }
  void release(PathState state, std::uint64_t waits_for);
  void threads_exited(std::uint32_t count);
  // Whether a bulk copy into its shared memory is under way.
  [[nodiscard]] bool awaits_loads() const noexcept;
  // Completes the barrier if everybody has come.
  void check_barrier(std::size_t id);
  void check_mbarrier(std::uint64_t address, MBarrier& mbarrier);
  // When the bulk copies that signal this phase of it are complete.
  [[nodiscard]] Epoch bulk_epoch(const MBarrier& mbarrier, std::uint32_t phase) const noexcept;
  [[nodiscard]] std::string describe() const;

 private:
  Launch* launch_;
  Cluster* cluster_;
  std::uint32_t rank_;
  std::uint32_t slot_;
  std::uint64_t index_ = 0;
  Extent position_;
  std::uint32_t live_threads_ = 0;
  std::vector<std::unique_ptr<Warp>> warps_;
};

}  // namespace attentune::simulator
