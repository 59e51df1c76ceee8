// Cycles of one core, from counts of instructions (two vector instructions and two loads a cycle), and from measured
// costs where they say so.
#include "generator/host_cost.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "generator/host_isa.h"
#include "generator/host_layout.h"
#include "generator/host_target.h"
#include "generator/visible_keys.h"

namespace attentune::host {
namespace {

// What a call looks like to a Config; counts as doubles, for they are multiplied.
struct Work {
  double computed_rows = 0;  // with the rows that pad micro-kernels
  double keys = 0;           // with the keys that pad panels
  double key_tiles = 0;
  double row_tiles = 0;
  double visited = 0;  // part of the keys a row tile walks
  double depth_qk = 0, depth_v = 0;
};

Work work_of(const Problem& p, const HostConfig& config) {
  const std::int64_t rows = row_count(p);
  const std::int64_t tiles = ceil_div(rows, config.tile_m);
  const std::int64_t last_rows = rows - (tiles - 1) * config.tile_m;
  const std::int64_t panel = config.pack == Pack::none ? lanes : config.micro.vectors * lanes;
  // What is computed around an edge of the mask: half of the least part of a tile (templates/host/forward.c).
  const std::int64_t part_queries =
      (config.pack == Pack::none ? config.tile_m : std::lcm(config.micro.rows, lanes)) / p.group();
  const std::int64_t part_keys = config.pack == Pack::none ? config.tile_n : panel;
  const double edges =
      0.5 * static_cast<double>(part_queries + part_keys) / static_cast<double>(std::max<std::int64_t>(1, p.len_kv));
  const bool masked = !p.mask.is_all();
  return {.computed_rows = static_cast<double>((tiles - 1) * config.tile_m + align_up(last_rows, config.micro.rows)),
          .keys = static_cast<double>(align_up(p.len_kv, panel)),
          .key_tiles = static_cast<double>(std::max<std::int64_t>(1, ceil_div(p.len_kv, config.tile_n))),
          .row_tiles = static_cast<double>(tiles),
          .visited = std::min(1.0, visible_fraction(p) + (masked ? edges : 0)),
          .depth_qk = static_cast<double>(align_up(p.head_dim_qk, lanes)),
          .depth_v = static_cast<double>(align_up(p.head_dim_v, lanes))};
}

double convert_cost(Dtype dtype) { return dtype == Dtype::f32 ? 0 : 3; }

// 32 x 32 sums in tile registers take four tdpbf16ps of 16 cycles a tile of depth, and 200 cycles for loading and
// storing them, which the next ones' products do not hide (measured, at the lower clock that tiles leave).
double tile_cycles(double sums, double depth_tiles) { return sums / (32 * 32) * (64 * depth_tiles + 200); }

double tile_products(const Problem& p, const HostConfig& config, const Work& work) {
  const int q = terms_of(p.q, config.product), k = terms_of(p.k, config.product), v = terms_of(p.v, config.product);
  const std::int64_t tail = qk_tail_tiles(p, config.product);
  const std::int64_t whole = tail == 0 ? ceil_div(p.head_dim_qk, 32) : p.head_dim_qk / 32;
  const double scores = work.computed_rows * work.keys;
  const double keys_a_tile = std::max(32.0, work.keys / work.key_tiles);
  // A panel of V beside the rows of P no longer stays in the first-level cache (measured).
  const double in_cache = keys_a_tile * 32 * 2 * v > 28672 ? 1.3 : 1.0;
  return tile_cycles(scores, static_cast<double>(whole * products_of(q, k, qk_most) + tail)) +
         in_cache * tile_cycles(scores / keys_a_tile * static_cast<double>(o_columns(p, config)),
                                keys_a_tile / 32 * products_of(v, v, v));
}

// Cycles of one multiplication and addition. A step is rows * vectors FMAs and rows + vectors loads, each of 16 lanes =
// 512 / width instructions; with fewer than 8 sums in flight the latency of 4 cycles shows (2 a cycle * 4); a fifth of
// the loads' time is seen even where products hide it (6x4 of zmm: 13 cycles predicted, 13.5 measured). Steps that do
// not share a branch cost another half cycle.
double cycles_a_product(const Arch& arch, const HostConfig& config) {
  const double split = 512.0 / config.width;
  const auto rows = static_cast<double>(config.micro.rows);
  const auto vectors = static_cast<double>(config.micro.vectors);
  const double loads = (rows + vectors * split) / 2;
  const double step =
      std::max({rows * vectors * split / 2, loads, 4.0}) + 0.2 * loads + 0.5 / static_cast<double>(config.unroll);
  // vdpbf16ps multiplies pairs: one instruction a cycle on AMD's cores, one in two cycles on Intel's.
  const double pairs = config.product == Product::fma ? 1.0 : arch.name.starts_with("znver") ? 0.5 : 2.0;
  return pairs * step / (rows * vectors * lanes);
}

// A score costs max, exp2, sum, load and store: 22 instructions on 16 of them, 12 where exponents are scaled by
// hardware, 3 more for every term but one; and some 40 a row and key tile.
double softmax_cycles(const Problem& p, const Arch& arch, const HostConfig& config, const Work& work) {
  const double instructions =
      (scales_exponents(arch, config.width) ? 12 : 22) + 3.0 * (terms_of(p.v, config.product) - 1);
  return work.computed_rows * (work.keys / lanes * instructions * (512.0 / config.width) / 2 + work.key_tiles * 40);
}

// A transposition of K is 4 shuffles a vector, a cycle each, and 2 moves, of V 2 moves; conversion adds 3; every term
// costs 10 for taking it out and passing through memory (measured). K and V come from memory at 8 bytes a cycle. Once
// a row tile, or once for all of them (every key tile then, seen or not), who read it from a farther cache.
double packing_cycles(const Problem& p, const HostConfig& config, const Work& work) {
  if (config.pack == Pack::none)
    return 0;
  const bool tiles = config.product == Product::tile;
  const double pairs = config.product == Product::fma ? 1.0 : 0.5;
  const double vectors = work.keys / lanes * (512.0 / config.width) / 2 * pairs;
  const int k_terms = terms_of(p.k, config.product), v_terms = terms_of(p.v, config.product);
  const auto instructions = [&](double moves, Dtype dtype, int terms) {
    return terms > 1 ? (moves + 10) * terms : moves + (pairs == 1 ? convert_cost(dtype) : 0);
  };
  const double k =
      work.depth_qk * (vectors * instructions(10, p.k, k_terms) + work.keys * static_cast<double>(size_of(p.k)) / 8);
  const double v =
      work.depth_v * (vectors * instructions(2, p.v, v_terms) + work.keys * static_cast<double>(size_of(p.v)) / 8);
  if (config.pack == Pack::whole) {
    const double bytes_a_cycle = tiles ? 16 : 32;  // AMX leaves less time to hide them in
    const double bytes = 4 * pairs * (work.depth_qk * k_terms + work.depth_v * v_terms);
    return k + v + work.row_tiles * work.visited * work.keys * bytes / bytes_a_cycle;
  }
  return work.row_tiles * work.visited * (k + (config.pack == Pack::k ? 0 : v));
}

// K and V in place: a conversion for every row block, two products a block of 32 and row, and 45 instructions that add
// up the lanes of 16 sums.
double streaming_cycles(const Problem& p, const HostConfig& config, const Work& work) {
  const double split = 512.0 / config.width;
  const double blocks = work.computed_rows / static_cast<double>(config.micro.rows);
  const double conversion = (p.k == Dtype::f32 ? 0.0 : 1.0) * blocks;
  const double latency = config.micro.rows * config.micro.vectors < 8 ? 2.0 : 1.0;
  return work.keys * (work.depth_qk + work.depth_v) / lanes * split / 2 * latency *
             (work.computed_rows + conversion + 0.5 * blocks) +
         work.computed_rows * work.keys / lanes * 45 * split / 2;
}

}  // namespace

Resources predict(const Problem& problem, const Arch& arch, const HostConfig& config) {
  const Work work = work_of(problem, config);
  // V read in place is strided: its rows fall into fewer sets of the first-level cache (measured: 1.3).
  const double in_place = config.pack == Pack::k ? 1.3 : 1.0;
  const double products = config.pack == Pack::none ? streaming_cycles(problem, config, work)
                          : config.product == Product::tile
                              ? tile_products(problem, config, work)
                              : work.computed_rows * work.keys * cycles_a_product(arch, config) *
                                    (static_cast<double>(problem.head_dim_qk) + in_place * work.depth_v);
  // What does not fit the second-level cache (1 MiB is common) waits for the next one.
  const auto bytes = static_cast<double>(scratch_bytes(problem, config));
  const auto tile = static_cast<double>(config.pack == Pack::whole ? packed_tile_bytes(problem, config) : 0);
  const double spill = bytes + tile > 1048576.0 ? 1.15 : 1.0;
  const auto registers = static_cast<double>(live_registers(config.micro, config.width));
  const double shared = config.pack == Pack::whole ? packed_bytes(problem, config) : 0;
  return {.workspace_bytes = bytes + shared,
          .shared_bytes = bytes,
          .registers = registers,
          .cost = static_cast<double>(problem.batch * problem.heads_kv) *
                  (work.visited * spill * (products + softmax_cycles(problem, arch, config, work)) +
                   packing_cycles(problem, config, work))};
}

}  // namespace attentune::host
