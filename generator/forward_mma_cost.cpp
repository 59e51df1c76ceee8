#include "generator/forward_mma_cost.h"

#include <algorithm>
#include <cmath>

#include "generator/integer.h"
#include "generator/splits.h"
#include "generator/visible_keys.h"
#include "generator/work_items.h"

namespace attentune {
namespace {

constexpr double schedulers = 4;          // of an SM, each with its own matrix unit
constexpr double copy_latency = 800;      // clocks from cp.async to data, from the second-level cache
constexpr double cache_bytes = 24;        // a clock and SM from the second-level cache, all SMs reading
constexpr double memory_bytes = 1500;     // a clock from device memory, all SMs together
constexpr double barrier_clocks = 60;     // a __syncthreads, its warps being out of step
constexpr double chain_clocks = 500;      // from a step's first product to its last, waiting for nothing but results
constexpr double prologue_clocks = 1500;  // of a block, beside its tiles: Q, O, set-up

double real(std::int64_t value) { return static_cast<double>(value); }

// Bytes of one key tile, K and V.
double tile_bytes(const MmaShape& shape, const Problem& p) {
  return 2 * real(shape.tile_n) * real(p.head_dim_qk + p.head_dim_v);
}

// Key tiles a block visits, on average over the row tiles.
double tiles_a_block(const MmaShape& shape, const Problem& p) {
  const double all = real(ceil_div(p.len_kv, shape.tile_n));
  if (p.mask.is_all())
    return all / real(shape.splits);
  // Rows see different keys: a tile of them sees some tile_m / 2 more, and the ends are no tile edges.
  const double rows = real(std::min(shape.tile_m, packed_rows(shape, p))) / real(heads_a_block(shape, p));
  const double keys = visible_fraction(p) * real(p.len_kv) + (rows + real(shape.tile_n)) / 2;
  return std::min(all, keys / real(shape.tile_n)) / real(shape.splits);
}

}  // namespace

StepClocks step_clocks(const MmaShape& shape, const Problem& p, const GpuArch& arch, double blocks) {
  const double scores = real(shape.tile_m * shape.tile_n);
  const double out = real(shape.tile_m * p.head_dim_v) * real(shape.warps_n);
  const double depth_qk = real(align_up(p.head_dim_qk, 16));
  const double row_groups = real(shape.warps_m);

  const double matrix_flops = 2 * scores * (depth_qk + real(p.head_dim_v));
  const double matrix_instructions = matrix_flops / 4096;  // m16n8k16
  // ldmatrix: each group of rows reads all of K and V; Q again for each part of the keys unless in registers.
  const double key_bytes = 2 * real(shape.tile_n) * (depth_qk + real(p.head_dim_v));
  const double q_bytes = shape.q_in_registers ? 0 : 2 * real(shape.tile_m) * depth_qk * real(shape.warps_n);
  const double read_bytes = row_groups * key_bytes + q_bytes;
  // Maximum, multiply-add, sum, half a conversion; a softcap computes two branches.
  const double per_score = 3.5 + (p.score.is_identity() ? 0 : 16);
  const double arithmetic = per_score * scores + out;
  const double copies = tile_bytes(shape, p) / 16;

  const double in_flight = blocks * tile_bytes(shape, p) * (shape.stages == 1 ? 0.5 : real(shape.stages - 1));
  return {.matrix = matrix_flops / arch.matrix_flops,
          .exponential = scores / GpuArch::exp_lanes,
          .arithmetic = arithmetic / arch.fma_lanes,
          .issue = (matrix_instructions + read_bytes / 512 + (arithmetic + scores + 7 * copies) / 32) / schedulers,
          .shared = (read_bytes + key_bytes) / GpuArch::shared_bytes,
          .global = tile_bytes(shape, p) / std::min(cache_bytes, in_flight / copy_latency)};
}

double predicted_clocks(const MmaShape& shape, const Problem& p, const GpuArch& arch) {
  const std::int64_t allowed = registers_allowed(shape, arch);
  const std::int64_t needed = registers_needed(shape, p);
  const std::int64_t resident = std::max<std::int64_t>(
      1, std::max(shape.min_blocks, blocks_an_sm(shape, p, arch, std::min(needed + 16, allowed))));
  const std::int64_t total = item_count(shape, p);
  const std::int64_t sms = arch.multiprocessors;
  // With fewer blocks than places, as many share an SM as there are.
  const double blocks = real(std::min(resident, ceil_div(std::max<std::int64_t>(total, 1), sms)));

  const StepClocks step = step_clocks(shape, p, arch, blocks);
  const double busy = step.matrix + step.exponential + step.arithmetic + step.shared;
  const double limit = std::max({step.matrix, step.exponential, step.arithmetic, step.issue, step.shared});
  // The phases of one warp follow one another; other warps of its scheduler fill the gaps. Those of other blocks do
  // so best: warps of one block meet at every barrier, and so run nearly in step. A scheduler without a warp idles.
  const double warps = real(shape.warps()) / schedulers;
  const double fill = 1 + (std::max(1.0, warps) - 1) / 2 + (blocks - 1) * warps;
  double clocks = (limit + (busy - limit) / fill) / std::min(1.0, blocks * warps);
  const double barriers = shape.stages == 1 ? 2 : 1;
  clocks = std::max({clocks + barriers * barrier_clocks / blocks, chain_clocks / blocks, step.global});
  if (needed > allowed)
    clocks *= 1 + 0.02 * real(needed - allowed);  // spills

  const double tiles = tiles_a_block(shape, p);
  // Merging O where warps share rows: put down and taken up once for every warp but one a row.
  const double merge = 2 * 4 * real(shape.tile_m * p.head_dim_v * (shape.warps_n - 1)) / GpuArch::shared_bytes;
  const double block_clocks = blocks * (tiles * clocks + merge + prologue_clocks / std::max(1.0, real(resident) / 2));
  // Blocks of equal length end together; of different length (masks), half a block's time is lost at the end, or a
  // whole one if the longest start last.
  const double places = real(sms) * blocks;
  const double exact_waves = real(total) / places;
  const double longest_last = shape.order == BlockOrder::rows_forward ? 1.0 : 0.5;
  const double waves = p.mask.is_all() || exact_waves <= 1 ? std::ceil(exact_waves) : exact_waves + longest_last;

  // Whatever the blocks do, K and V come from device memory once a KV head.
  const double unique =
      real(p.batch * p.heads_kv) * real(p.len_kv) * visible_fraction(p) * 2 * real(p.head_dim_qk + p.head_dim_v);
  const double busy_clocks = waves * block_clocks;
  const double memory_clocks = unique / memory_bytes;
  // The two overlap, but never wholly: a quarter of the shorter is assumed to show.
  double total_clocks = std::max(busy_clocks, memory_clocks) + std::min(busy_clocks, memory_clocks) / 4;
  // Heads of a group that run at the same time share K and V in the caches.
  if (shape.order != BlockOrder::heads_first && p.group() > 1 && !shape.packed)
    total_clocks *= 1.002;
  return total_clocks + split_clocks(p, shape.splits);
}

}  // namespace attentune
