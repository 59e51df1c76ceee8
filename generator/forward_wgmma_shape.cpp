#include "generator/forward_wgmma_shape.h"

#include <algorithm>
#include <string>

#include "generator/integer.h"

namespace attentune {
namespace {

// Addresses, statistics, loop state. With as many left no kernel spills, whatever the mask and the score; with 24 those
// that overlap do.
constexpr std::int64_t other_registers = 32;
constexpr std::int64_t score_registers = 24;  // constants and both branches of a softcap

constexpr std::int64_t slab_row_bytes = 128;

std::int64_t tile_bytes(std::int64_t rows, std::int64_t columns) { return slabs(columns) * rows * slab_row_bytes; }

}  // namespace

WgmmaShape wgmma_shape(const Config& config) {
  return {.tile_m = config.integer("tile_m"),
          .tile_n = config.integer("tile_n"),
          .stages_k = config.integer("stages_k"),
          .stages_v = config.integer("stages_v"),
          .overlap = config.word("overlap") == "yes",
          .take_turns = config.word("turns") == "yes",
          .rescale_lazily = config.word("rescale") == "lazy",
          .store_by_copy = config.word("store") == "copy",
          .packed = config.word("pack") == "yes",
          .splits = config.integer_or("splits", 1)};
}

RegisterSplit register_split(std::int64_t consumers) noexcept {
  if (consumers == 1)
    return {.producer = 56, .consumer = 256};
  if (consumers == 2)
    return {.producer = 24, .consumer = 240};
  return {.producer = 32, .consumer = 160};
}

std::int64_t registers_at_entry(std::int64_t consumers) noexcept {
  // 65536 registers over the threads, in units of 8; a thread has 255 at most.
  return std::min<std::int64_t>(255, 65536 / (128 * (1 + consumers)) / 8 * 8);
}

std::int64_t consumer_registers_needed(const WgmmaShape& shape, const Problem& problem) noexcept {
  // P of one step is in use while S of the next fills; without overlap too, the compiler keeps them apart.
  const std::int64_t scores_and_weights = shape.tile_n / 2 + shape.tile_n / 4;
  const std::int64_t score_function = problem.score.is_identity() ? 0 : score_registers;
  return scores_and_weights + problem.head_dim_v / 2 + other_registers + score_function;
}

std::int64_t slabs(std::int64_t columns) noexcept { return ceil_div(columns, 64); }

BlockLayout block_layout(const WgmmaShape& shape, const Problem& problem) noexcept {
  constexpr std::int64_t barrier_bytes = 8;
  constexpr std::int64_t step_bytes = 16;
  BlockLayout layout{.q_bytes = tile_bytes(shape.tile_m, problem.head_dim_qk),
                     .k_bytes = tile_bytes(shape.tile_n, problem.head_dim_qk),
                     .v_bytes = tile_bytes(shape.tile_n, problem.head_dim_v),
                     .out_bytes = shape.store_by_copy ? tile_bytes(shape.tile_m, problem.head_dim_v) : 0};
  layout.k_offset = layout.q_bytes;
  layout.v_offset = layout.k_offset + shape.stages_k * layout.k_bytes;
  layout.out_offset = layout.v_offset + shape.stages_v * layout.v_bytes;
  layout.barriers_offset = layout.out_offset + layout.out_bytes;
  layout.steps_offset = layout.barriers_offset + 2 * barrier_bytes * (1 + shape.stages_k + shape.stages_v);
  layout.bytes = layout.steps_offset + shape.stages_k * step_bytes;
  return layout;
}

}  // namespace attentune
