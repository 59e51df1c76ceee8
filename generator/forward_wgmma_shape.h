// A Config of forward_wgmma as numbers, and what follows from them.
#pragma once

#include <cstdint>

#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

// Of O and P: what a warp of a consumer holds.
inline constexpr std::int64_t warp_rows = 16;

struct WgmmaShape {
  std::int64_t tile_m = 0, tile_n = 0;      // rows of a block, keys of a step
  std::int64_t stages_k = 0, stages_v = 0;  // tiles of K and V in shared memory at a time
  bool overlap = false;                     // softmax of a step under P V of the step before
  bool take_turns = false;                  // consumer warpgroups issue their products in turns
  bool rescale_lazily = false;  // O follows new maxima once weights would exceed 2^8 (templates/cuda/lazy_rescale.cuh)
  bool store_by_copy = false;   // O goes through shared memory and the copy engine
  bool packed = false;          // a block's rows are those of a whole GQA group
  std::int64_t splits = 1;      // blocks that share the keys of a row tile

  // Warpgroups of 128 threads: those that compute 64 rows each, and the producer.
  [[nodiscard]] std::int64_t consumers() const noexcept { return tile_m / 64; }
  [[nodiscard]] std::int64_t threads() const noexcept { return 128 * (1 + consumers()); }
};
// `config` names the choices of ForwardWgmma::space; its launch choices may be missing.
[[nodiscard]] WgmmaShape wgmma_shape(const Config& config);

// Registers a thread of each role has after setmaxnreg (PTX ISA 9.7.19.5): multiples of 8, 24 to 256; the producer
// gives some of those at entry up, the consumers take some more.
struct RegisterSplit {
  std::int64_t producer = 0;
  std::int64_t consumer = 0;

  bool operator==(const RegisterSplit&) const = default;
};
[[nodiscard]] RegisterSplit register_split(std::int64_t consumers) noexcept;
// Registers a thread when the kernel begins, as ptxas chooses them from __launch_bounds__: all roles together may not
// have more later, or setmaxnreg waits for ever.
[[nodiscard]] std::int64_t registers_at_entry(std::int64_t consumers) noexcept;
// Registers a thread of a consumer needs in its loop: accumulators of S and O, fragments of P, and the rest as
// compiling the space showed it.
[[nodiscard]] std::int64_t consumer_registers_needed(const WgmmaShape& shape, const Problem& problem) noexcept;

// A tile in shared memory is slabs of 64 columns (templates/cuda/slabs.cuh), each copied at once.
[[nodiscard]] std::int64_t slabs(std::int64_t columns) noexcept;

// Where things lie in the dynamic shared memory of attentune_forward, in bytes (templates/cuda/block_memory.cuh).
struct BlockLayout {
  std::int64_t q_bytes = 0, k_bytes = 0, v_bytes = 0;  // of one tile; each begins at a multiple of 1024
  std::int64_t out_bytes = 0;                          // of O, where it is copied out
  std::int64_t k_offset = 0, v_offset = 0, out_offset = 0, barriers_offset = 0, steps_offset = 0;
  std::int64_t bytes = 0;  // of all
};
[[nodiscard]] BlockLayout block_layout(const WgmmaShape& shape, const Problem& problem) noexcept;

}  // namespace attentune
