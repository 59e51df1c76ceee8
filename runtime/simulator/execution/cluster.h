// Cluster: blocks that run at the same time and reach one another's shared memory (PTX ISA 9.0, section 2.2.2), and
// their barrier (section 9.7.13.3). A launch without clusters has clusters of one block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/races/vector_clock.h"

namespace attentune::simulator {

struct ClusterBarrier {
  std::uint32_t arrived = 0;     // threads
  std::uint32_t generation = 0;  // how often it has completed
  VectorClock clock;             // of those that arrived
  VectorClock last_clock;        // what those that wait learn
};

class Cluster {
 public:
  // `slot`: of its first block.
  Cluster(Launch& launch, std::uint32_t slot);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Begins with cluster `index` of the grid.
  void start(std::uint64_t index);
  [[nodiscard]] bool done() const noexcept;
  [[nodiscard]] bool can_run() const noexcept;
  // Some steps of one block that can run, in seeded order.
  void turn();
  // Lets one late operation complete, in seeded order; false when none is under way.
  bool complete_late();
  void pass_time_limit();
  [[nodiscard]] std::string describe() const;

  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(blocks_.size()); }
  [[nodiscard]] Block& block(std::uint32_t rank) noexcept { return *blocks_[rank]; }

  ClusterBarrier barrier;
  // Completes the barrier if every thread that has not exited has come.
  void check_barrier();

 private:
  Launch* launch_;
  std::vector<std::unique_ptr<Block>> blocks_;
};

}  // namespace attentune::simulator
