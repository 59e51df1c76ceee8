// What one call of forward_mma will execute, counted before it runs: exact, so that a simulator's counters and a
// profiler's can be compared with it.
#pragma once

#include <cstdint>

#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

struct MmaCounts {
  std::int64_t matrix_instructions = 0;   // mma.sync m16n8k16, counted once a warp
  std::int64_t key_tiles = 0;             // visited, over all blocks
  std::int64_t global_bytes_read = 0;     // as requested by the lanes of all launches of the call
  std::int64_t global_bytes_written = 0;  // caches play no part

  bool operator==(const MmaCounts&) const = default;
};

// Cost: the size of the mask times the number of row tiles and splits.
[[nodiscard]] MmaCounts mma_counts(const Problem& problem, const Config& config);

}  // namespace attentune
