#include "runtime/simulator/races/vector_clock.h"

#include <algorithm>

namespace attentune::simulator {

std::uint32_t VectorClock::foreign_time(std::uint32_t timeline) const noexcept {
  const auto found = std::ranges::lower_bound(foreign_, timeline, {}, &std::pair<std::uint32_t, std::uint32_t>::first);
  return found != foreign_.end() && found->first == timeline ? found->second : 0;
}

void VectorClock::learn(Epoch epoch) {
  if (epoch.time == 0)
    return;
  const std::uint32_t local = epoch.timeline - first_;
  if (local < own_.size()) {
    own_[local] = std::max(own_[local], epoch.time);
    return;
  }
  const auto found =
      std::ranges::lower_bound(foreign_, epoch.timeline, {}, &std::pair<std::uint32_t, std::uint32_t>::first);
  if (found != foreign_.end() && found->first == epoch.timeline)
    found->second = std::max(found->second, epoch.time);
  else
    foreign_.insert(found, {epoch.timeline, epoch.time});
}

void VectorClock::fence_proxy(const Timelines& timelines) {
  for (std::uint32_t local = 0; local < timelines.generic() && !own_.empty(); ++local)
    own_[timelines.twin(local)] = own_[local];
  const std::uint32_t count = std::max(1U, timelines.count());  // 0 only where nobody runs
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> others = foreign_;
  for (const auto& [timeline, time] : others) {
    const std::uint32_t local = timeline % count;
    if (local < timelines.generic())
      learn({.timeline = timeline - local + timelines.twin(local), .time = time});
  }
}

void VectorClock::join(const VectorClock& other) {
  if (empty()) {
    *this = other;
    return;
  }
  if (first_ == other.first_ && own_.size() == other.own_.size()) {
    for (std::size_t i = 0; i < own_.size(); ++i)
      own_[i] = std::max(own_[i], other.own_[i]);
  } else {
    for (std::size_t i = 0; i < other.own_.size(); ++i)
      learn({.timeline = other.first_ + static_cast<std::uint32_t>(i), .time = other.own_[i]});
  }
  for (const auto& [timeline, time] : other.foreign_)
    learn({.timeline = timeline, .time = time});
}

}  // namespace attentune::simulator
