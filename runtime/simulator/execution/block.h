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
#include "runtime/simulator/execution/warp.h"
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

class Block {
 public:
  Block(Launch& launch, std::uint32_t slot);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Begins with block `index` of the grid.
  void start(std::uint64_t index);
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
  [[nodiscard]] std::uint32_t threads() const noexcept { return live_threads_; }
  [[nodiscard]] std::uint32_t first_timeline() const noexcept {
    return static_cast<std::uint32_t>(index_) * launch_->timelines;
  }

  SharedMemory shared;
  std::array<Barrier, barriers_per_block> barriers;
  std::map<std::uint64_t, MBarrier> mbarriers;  // by shared address
  std::vector<PendingArrival> late;

  [[nodiscard]] Warp& warp(std::size_t index) noexcept { return *warps_[index]; }
  void release(PathState state, std::uint64_t waits_for);
  void threads_exited(std::uint32_t count);
  // Completes the barrier if everybody has come.
  void check_barrier(std::size_t id);
  void check_mbarrier(std::uint64_t address, MBarrier& mbarrier);
  [[nodiscard]] std::string describe() const;

 private:
  Launch* launch_;
  std::uint32_t slot_;
  std::uint64_t index_ = 0;
  Extent position_;
  std::uint32_t live_threads_ = 0;
  std::vector<std::unique_ptr<Warp>> warps_;
};

}  // namespace attentune::simulator
