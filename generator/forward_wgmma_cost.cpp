#include "generator/forward_wgmma_cost.h"

#include <algorithm>
#include <cmath>

#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/visible_keys.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

constexpr double wgmma_flops = 4096;   // a clock and SM, a multiply-add counted twice
constexpr double cache_bytes = 32;     // a clock and SM from the second-level cache, all SMs reading
constexpr double memory_bytes = 1500;  // a clock from device memory, all SMs together
constexpr double copy_latency = 1000;  // clocks from a copy's begin to its data
constexpr double step_clocks =
    200;  // from result to next instruction, waits and shuffles: of a step, whatever its size
constexpr double lazy_rescaling = 10;  // instructions of a step in which O stays as it is
constexpr double item_clocks = 1500;   // of an item beside its steps: Q, the first and the last wait, O

double real(std::int64_t value) { return static_cast<double>(value); }

double matrix_instructions(const WgmmaShape& shape, const Problem& p) {
  return real(ceil_div(p.head_dim_qk, 16) + shape.tile_n / 16);
}

// Key tiles of a work item, on average.
double tiles_an_item(const WgmmaShape& shape, const Problem& p) {
  const double all = real(ceil_div(p.len_kv, shape.tile_n));
  if (p.mask.is_all())
    return std::ceil(all / real(shape.splits));
  // Rows see different keys: a tile of them sees half its queries more, and the ends are no tile edges.
  const double rows = real(std::min(shape.tile_m, packed_rows(shape, p))) / real(heads_a_block(shape, p));
  const double keys = visible_fraction(p) * real(p.len_kv) + (rows + real(shape.tile_n)) / 2;
  return std::max(1.0, std::min(all, keys / real(shape.tile_n)) / real(shape.splits));
}

}  // namespace

double issue_slots_a_score(const WgmmaShape& shape, const Problem& p) {
  // Maximum, multiply-add, exponential, sum, half a conversion; a softcap computes two ways and takes one.
  const double a_score = 4.5 + (p.score.is_identity() ? 0 : 22);
  // Maxima seldom grow by much after the first steps; to find that out takes a few instructions.
  const double rescaling = shape.rescale_lazily ? lazy_rescaling : real(p.head_dim_v) / 2;
  // Of more steps the descriptors of Q are not kept (templates/cuda/consume_tiles.cuh).
  const double steps_qk = real(ceil_div(p.head_dim_qk, 16));
  const double descriptors = 2 * matrix_instructions(shape, p) + (steps_qk > 12 ? 2 * steps_qk : 0);
  const double loop = 55 + (shape.take_turns ? 10 : 0);
  return a_score + (rescaling + descriptors + loop) / (real(shape.tile_n) / 2);
}

WgmmaStepClocks wgmma_step_clocks(const WgmmaShape& shape, const Problem& p) {
  const double scores = real(shape.tile_m * shape.tile_n);
  const double depth = real(align_up(p.head_dim_qk, 16) + p.head_dim_v);
  const double bytes = 2 * real(shape.tile_n) * real(p.head_dim_qk + p.head_dim_v);
  return {.matrix = 2 * scores * depth / wgmma_flops,
          .exponential = scores / GpuArch::exp_lanes,
          .issue = scores * issue_slots_a_score(shape, p) / (32 * 4),
          .global = bytes / cache_bytes};
}

double predicted_clocks(const WgmmaShape& shape, const Problem& p, const GpuArch& arch) {
  const WgmmaStepClocks step = wgmma_step_clocks(shape, p);
  const double softmax = std::max(step.exponential, step.issue);
  // What is not the limit hides behind it as far as there is something else to run: another warpgroup, by chance or in
  // turns, or the product of the step before.
  const double limit = std::max(step.matrix, softmax);
  const double company = real(shape.consumers()) + (shape.overlap ? 1 : 0) + (shape.take_turns ? 0.5 : 0);
  const double rest = (step.matrix + softmax - limit) / company;
  double clocks = std::max(limit + rest + step_clocks, step.global);
  // A stage is free from the end of its product to the next step that needs it: with one, about half a step.
  const double stages = real(std::min(shape.stages_k, shape.stages_v));
  clocks += std::max(0.0, copy_latency + step.global / 2 - (stages - 0.5) * clocks);

  // The first step of an item overlaps with nothing. Stored by copies, O takes half an instruction a column less of
  // each of four schedulers, a warp of each consumer on each.
  const double saved = shape.store_by_copy ? real(shape.consumers() * p.head_dim_v) / 2 : 0;
  const double item = tiles_an_item(shape, p) * clocks + softmax / real(shape.consumers()) + item_clocks - saved;
  const double exact_waves = real(item_count(shape, p)) / arch.multiprocessors;
  const double waves = p.mask.is_all() || exact_waves <= 1 ? std::ceil(exact_waves) : exact_waves + 0.5;
  // Whatever the blocks do, K and V come from device memory once a KV head.
  const double unique =
      real(p.batch * p.heads_kv) * real(p.len_kv) * visible_fraction(p) * 2 * real(p.head_dim_qk + p.head_dim_v);
  const double busy_clocks = waves * item;
  const double memory_clocks = unique / memory_bytes;
  // The two overlap, but never wholly: a quarter of the shorter is assumed to show.
  return std::max(busy_clocks, memory_clocks) + std::min(busy_clocks, memory_clocks) / 4 +
         split_clocks(p, shape.splits);
}

}  // namespace attentune
