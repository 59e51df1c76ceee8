// Shadow: for a stretch of memory, which accesses each byte has seen that a later one may still conflict with.
// Two accesses conflict when they overlap, one writes, they are not both strong, and neither happens before the other
// (PTX ISA 9.0, section 8.7.1). One granule of 16 bytes holds a short list of {moment, byte mask, kind}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/simulator/races/vector_clock.h"

namespace attentune::simulator {

inline constexpr std::uint32_t granule_bytes = 16;
using ByteMask = std::uint16_t;  // bit i: byte i of a granule

// Strong accesses (section 8.4: relaxed, acquire, release, volatile, atomics) do not conflict with one another.
enum class AccessKind : std::uint8_t { read, write, strong_read, atomic };  // atomic: strong stores too

[[nodiscard]] constexpr bool is_read(AccessKind kind) noexcept {
  return kind == AccessKind::read || kind == AccessKind::strong_read;
}

// One side of a conflict, with what a message needs.
struct Access {
  Epoch epoch;
  std::int32_t step = 0;
  ByteMask bytes = 0;
  AccessKind kind = AccessKind::read;
  bool asynchronous = false;
};

class Shadow {
 public:
  Shadow() = default;
  explicit Shadow(std::size_t bytes) : granules_((bytes + granule_bytes - 1) / granule_bytes) {}

  [[nodiscard]] bool empty() const noexcept { return granules_.empty(); }

  // Records `access` to granule `index` and returns the earlier access it races with, if there is one.
  // `known` is what the accessing side has seen. `equal`: bytes in which plain writes do not race, for they write the
  // same. Cost: some 10 ns.
  [[nodiscard]] std::optional<Access> record(std::size_t index, const Access& access, const VectorClock& known,
                                             ByteMask equal = 0);

  // Every access of granule `index` that a later one may conflict with, oldest not first.
  template <class Action>
  void for_each(std::size_t index, Action&& action) const {
    const Node* node = &granules_[index];
    action(node->access);
    for (; node->next != none; action(node->access))
      node = &more_[node->next];
  }

  void clear();

 private:
  static constexpr std::uint32_t none = 0;

  struct Node {
    Access access;  // bytes 0: free
    std::uint32_t next = none;
  };

  std::uint32_t take();

  std::vector<Node> granules_;       // the first of each list, in place
  std::vector<Node> more_{Node{}};   // the rest; 0 stands for none
  std::vector<std::uint32_t> free_;  // of more_
};

}  // namespace attentune::simulator
