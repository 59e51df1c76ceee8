// Vector clocks: who is known to have done what (Mattern, "Virtual Time and Global States of Distributed Systems",
// 1989). A timeline is a warp, or one kind of asynchronous work of a warp or mbarrier whose parts complete in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/simulator/races/timelines.h"

namespace attentune::simulator {

// One moment of a timeline. Timelines are numbered over the whole grid: block * timelines a block + local number.
struct Epoch {
  std::uint32_t timeline = 0;
  std::uint32_t time = 0;
  bool operator==(const Epoch&) const = default;
};

// Dense for the timelines of the own block, sparse for the few others heard of through global memory.
class VectorClock {
 public:
  VectorClock() = default;
  VectorClock(std::uint32_t first, std::size_t count) : first_(first), own_(count) {}

  // 0: nothing of that timeline is known.
  [[nodiscard]] std::uint32_t time(std::uint32_t timeline) const noexcept {
    const std::uint32_t local = timeline - first_;
    return local < own_.size() ? own_[local] : foreign_time(timeline);
  }
  [[nodiscard]] bool knows(Epoch epoch) const noexcept { return time(epoch.timeline) >= epoch.time; }
  [[nodiscard]] bool empty() const noexcept { return own_.empty() && foreign_.empty(); }

  void learn(Epoch epoch);
  void join(const VectorClock& other);

  // A fence.proxy.async: of every generic timeline, what is known is known to stand before such a fence. See
  // timelines.h; every block has the same `timelines`.
  void fence_proxy(const Timelines& timelines);

 private:
  [[nodiscard]] std::uint32_t foreign_time(std::uint32_t timeline) const noexcept;

  std::uint32_t first_ = 0;
  std::vector<std::uint32_t> own_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> foreign_;  // timeline, time; by timeline
};

}  // namespace attentune::simulator
