#include "runtime/simulator/races/shadow.h"

#include <algorithm>

namespace attentune::simulator {

namespace {

bool writes(AccessKind kind) noexcept { return kind == AccessKind::write || kind == AccessKind::atomic; }
bool is_strong(AccessKind kind) noexcept { return kind == AccessKind::strong_read || kind == AccessKind::atomic; }

bool conflicts(const Access& earlier, const Access& later, ByteMask equal) noexcept {
  const bool both_store = earlier.kind == AccessKind::write && later.kind == AccessKind::write && !earlier.asynchronous;
  const unsigned differing = both_store ? ~static_cast<unsigned>(equal) : ~0U;
  return (earlier.bytes & later.bytes & differing) != 0 && (writes(earlier.kind) || writes(later.kind)) &&
         !(is_strong(earlier.kind) && is_strong(later.kind));
}

}  // namespace

std::optional<Access> Shadow::record(std::size_t index, const Access& access, const VectorClock& known,
                                     ByteMask equal) {
  const Node& head = granules_[index];
  // The same access again, of other lanes or other bytes: by far the most frequent case.
  if (head.next == none && head.access.epoch == access.epoch && head.access.kind == access.kind &&
      head.access.asynchronous == access.asynchronous && (!access.asynchronous || is_read(access.kind))) {
    granules_[index].access.bytes |= access.bytes;
    return std::nullopt;
  }
  for (const Node* node = &head; node != nullptr; node = node->next == none ? nullptr : &more_[node->next]) {
    if (conflicts(node->access, access, equal) && !known.knows(node->access.epoch))
      return node->access;
  }
  // A write stands for everything it comes after, which is all but stores of equal bytes; a read stands for the older
  // reads of its own warp.
  const auto stands_for = [&](const Access& earlier) {
    if (access.kind == AccessKind::write && (equal == 0 || known.knows(earlier.epoch)))
      return true;
    return access.kind == earlier.kind && access.epoch.timeline == earlier.epoch.timeline &&
           access.asynchronous == earlier.asynchronous;
  };
  Node* home = nullptr;  // where the new record goes
  for (Node* node = &granules_[index];;) {
    if (stands_for(node->access))
      node->access.bytes &= static_cast<ByteMask>(~access.bytes);
    if (node->access.bytes == 0 && home == nullptr)
      home = node;
    if (node->next == none)
      break;
    const std::uint32_t next = node->next;
    if (more_[next].access.bytes == 0 ||
        (stands_for(more_[next].access) && (more_[next].access.bytes & static_cast<ByteMask>(~access.bytes)) == 0)) {
      node->next = more_[next].next;
      more_[next].next = none;
      free_.push_back(next);
      continue;
    }
    node = &more_[next];
  }
  if (home != nullptr) {
    home->access = access;
    return std::nullopt;
  }
  const std::uint32_t added = take();
  more_[added] = {.access = access, .next = granules_[index].next};
  granules_[index].next = added;
  return std::nullopt;
}

std::uint32_t Shadow::take() {
  if (!free_.empty()) {
    const std::uint32_t taken = free_.back();
    free_.pop_back();
    return taken;
  }
  more_.emplace_back();
  return static_cast<std::uint32_t>(more_.size() - 1);
}

void Shadow::clear() {
  std::ranges::fill(granules_, Node{});
  more_.assign(1, Node{});
  free_.clear();
}

}  // namespace attentune::simulator
