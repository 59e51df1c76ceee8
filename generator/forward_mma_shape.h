// A Config of forward_mma as numbers, and what follows from them.
#pragma once

#include <cstdint>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/problem.h"

namespace attentune {

// Block orders, as in templates/cuda/work_item.cuh.
enum class BlockOrder : std::uint8_t { rows_forward = 0, rows_reversed = 1, heads_first = 2 };

struct MmaShape {
  std::int64_t tile_m = 0, tile_n = 0;    // rows and keys of a block's step
  std::int64_t warps_m = 0, warps_n = 0;  // how its warps share them
  std::int64_t stages = 1;
  bool q_in_registers = false;
  bool packed = false;  // a block's rows are those of a whole GQA group
  bool padded = false;  // rows in shared memory padded to an odd pitch, else swizzled
  std::int64_t min_blocks = 1;
  std::int64_t splits = 1;
  BlockOrder order = BlockOrder::rows_forward;

  [[nodiscard]] std::int64_t warps() const noexcept { return warps_m * warps_n; }
  [[nodiscard]] std::int64_t threads() const noexcept { return 32 * warps(); }
  [[nodiscard]] std::int64_t row_blocks() const noexcept { return tile_m / warps_m / 16; }
  [[nodiscard]] std::int64_t keys_per_warp() const noexcept { return tile_n / warps_n; }
};
// `config` names the choices of ForwardMma::space; its launch choices may be missing.
[[nodiscard]] MmaShape mma_shape(const Config& config);

// Dynamic shared memory of attentune_forward, bytes: the largest of its phases (templates/cuda/forward_mma.cuh).
[[nodiscard]] std::int64_t shared_bytes(const MmaShape& shape, const Problem& problem) noexcept;
// 32-bit registers a thread needs in the main loop: accumulators, fragments of Q kept, and what compiling the space for
// every Arch showed for the rest.
[[nodiscard]] std::int64_t registers_needed(const MmaShape& shape, const Problem& problem) noexcept;
// Registers a thread can have with min_blocks blocks on an SM: __launch_bounds__ makes the compiler keep to it.
[[nodiscard]] std::int64_t registers_allowed(const MmaShape& shape, const GpuArch& arch) noexcept;
// Blocks that fit an SM by threads, shared memory and `registers` a thread.
[[nodiscard]] std::int64_t blocks_an_sm(const MmaShape& shape, const Problem& problem, const GpuArch& arch,
                                        std::int64_t registers) noexcept;

}  // namespace attentune
