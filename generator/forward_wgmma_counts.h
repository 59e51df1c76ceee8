// What one call of forward_wgmma will execute, counted before it runs: exact, so that a simulator's counters and a
// profiler's can be compared with it.
#pragma once

#include <cstdint>

#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

struct WgmmaCounts {
  std::int64_t key_tiles = 0;             // visited, over all work items
  std::int64_t matrix_instructions = 0;   // wgmma m64nNk16, counted once a warpgroup
  std::int64_t tensor_copies = 0;         // boxes copied to shared memory
  std::int64_t tensor_stores = 0;         // boxes copied from it
  std::int64_t copied_bytes = 0;          // of whole boxes, with the zeros outside the tensors: what barriers count
  std::int64_t global_bytes_read = 0;     // of boxes inside the tensors, by lanes sink logits and partial results
  std::int64_t global_bytes_written = 0;  // caches play no part

  bool operator==(const WgmmaCounts&) const = default;
};

// Cost: the size of the mask times the number of row tiles and splits.
[[nodiscard]] WgmmaCounts wgmma_counts(const Problem& problem, const Config& config);

}  // namespace attentune
