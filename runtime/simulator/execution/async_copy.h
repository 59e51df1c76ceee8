// cp.async: copies under way, in groups, on a timeline of their own (PTX ISA 9.0, section 9.7.9.25.3).
//
// The accesses of a copy are checked when it is issued, with what the warp knew then. Whoever has not heard that the
// copy timeline reached the copy's batch races with it. In lazy mode the bytes move when somebody waits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

class Warp;

// One lane's copy: `read` bytes of global memory, zeros up to `bytes`.
struct CopyPart {
  const std::byte* source = nullptr;
  std::byte* destination = nullptr;
  std::size_t shared_offset = 0;
  std::uint32_t batch = 0;
  std::uint8_t bytes = 16;
  std::uint8_t read = 16;
  std::uint8_t lane = 0;
};

// Batches are the time of the copy timeline: one closes at every commit, wait_all and cp.async.mbarrier.arrive.
struct AsyncCopies {
  // A lane's committed group: the batch of its first copy, 0 for an empty one.
  using Group = std::uint32_t;

  std::vector<CopyPart> pending;                      // lazy: not moved yet
  std::uint32_t batch = 1;                            // the open one
  std::array<std::deque<Group>, warp_size> groups;    // of each lane, not waited for
  std::array<std::uint32_t, warp_size> open_first{};  // the batch of the first copy not committed yet, or 0

  // The last batch of which no lane has a copy it has not waited for.
  [[nodiscard]] std::uint32_t complete_through() const noexcept;
};

void issue_copy(Warp& warp, const CopyPart& part);
void commit_copies(Warp& warp, Mask lanes);
// Until each lane has at most `most` groups under way.
void wait_for_groups(Warp& warp, Mask lanes, std::size_t most);
void wait_for_all_copies(Warp& warp, Mask lanes);
// Closes the open batch and returns it.
std::uint32_t close_batch(Warp& warp);
// Moves the bytes of those lanes' copies up to a batch, in seeded order.
void move_copies(Warp& warp, Mask lanes, std::uint32_t through);

}  // namespace attentune::simulator
