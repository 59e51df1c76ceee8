// Bulk copies under way: cp.async.bulk, its tensor and its reducing forms (PTX ISA 9.0, sections 9.7.9.25.4 and .5).
//
// An instruction becomes a list of pieces, each at most 16 bytes. Copies into shared memory complete on an mbarrier;
// in lazy mode they wait in the block's list until nobody can run. Copies out of it complete in groups, when their
// thread waits for them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

class Block;
class Warp;

enum class Reduction : std::uint8_t { none, add, min, max, inc, dec, conjunction, disjunction, exclusive };

// What a reduction works on. f16 and bf16 round once an element.
enum class ReductionType : std::uint8_t { u32, s32, u64, s64, f16, bf16, f32, f64 };

struct Piece {
  std::byte* far = nullptr;  // global memory, or the source of a copy between blocks; null: filled with `fill`
  std::uint32_t shared_offset = 0;
  std::uint8_t bytes = 16;
};

// Into the shared memory of one or more blocks of the cluster, at the same offsets in each.
struct BulkLoad {
  struct Target {
    Block* block = nullptr;
    std::uint64_t mbarrier = 0;
    std::uint32_t phase = 0;  // of the mbarrier when the copy was issued
  };
  std::vector<Piece> pieces;
  std::vector<Target> targets;
  std::uint32_t bytes = 0;           // that each mbarrier hears of
  std::array<std::byte, 16> fill{};  // of elements out of bounds
  Warp* warp = nullptr;              // that issued it, and where
  std::uint32_t step = 0;
  Mask lanes = 0;
};

// Out of the shared memory of the issuing block.
struct BulkStore {
  std::vector<Piece> pieces;
  std::vector<std::byte> taken;  // what was read, where it has been
  Reduction reduction = Reduction::none;
  ReductionType type = ReductionType::f32;
  std::uint32_t batch = 0;
  int lane = 0;
};

// A warp's stores. Batches are the time of its two timelines (reads of the source, and writes), as with cp.async.
struct BulkStores {
  struct Groups {
    std::array<std::deque<std::uint32_t>, warp_size>
        of_lane;  // the batch of each group not waited for, 0: an empty one
    [[nodiscard]] std::uint32_t first_open(int lane) const noexcept;  // 0: none
  };
  std::vector<BulkStore> pending;  // issued and not written
  std::uint32_t batch = 1;         // the open one
  Groups reads;
  Groups writes;
  std::array<std::uint32_t, warp_size> open_first{};  // the batch of the first store not committed yet, or 0
};

// The copy arrives now. Stops the run where its bytes belong to another phase than it was issued in.
void complete_load(const BulkLoad& load);

void issue_store(Warp& warp, BulkStore store);
void commit_stores(Warp& warp, Mask lanes);
// Until each lane has at most `most` groups under way; `reads_only`: groups whose source has not been read.
void wait_for_stores(Warp& warp, Mask lanes, std::size_t most, bool reads_only);
// Every store that is left is written; the block may not exit before the sources have been read.
void finish_stores(Warp& warp, Mask lanes);

// Whether the ISA has that reduction of that type; u32 and u64 stand for b32 and b64 too.
[[nodiscard]] bool is_reduction(Reduction reduction, ReductionType type) noexcept;

// `count` bytes of `values` into `memory`, element by element.
void reduce(Reduction reduction, ReductionType type, const std::byte* values, std::byte* memory, std::size_t count);

}  // namespace attentune::simulator
