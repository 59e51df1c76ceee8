#include "generator/forward_mma_shape.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/integer.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::int64_t shared_reserved = 1024;  // bytes the driver takes of every block (cc 8.0 and up)
// Addresses, loop state, fragments in flight: what the accumulators leave over in kernels that just do not spill.
constexpr std::int64_t other_registers = 72;

std::int64_t row_bytes(const MmaShape& shape, std::int64_t chunks) { return 16 * (shape.padded ? chunks | 1 : chunks); }

}  // namespace

MmaShape mma_shape(const Config& config) {
  const std::string_view warps = config.word("warps");
  const std::size_t x = std::min(warps.find('x'), warps.size() - 1);
  const auto warps_m = parse_number<std::int64_t>(warps.substr(0, x));
  const auto warps_n = parse_number<std::int64_t>(warps.substr(x + 1));
  if (!warps_m || !warps_n)
    throw Error(Status::internal, fmt::format("warps={} is not ROWSxKEYS", warps));
  return {.tile_m = config.integer("tile_m"),
          .tile_n = config.integer("tile_n"),
          .warps_m = *warps_m,
          .warps_n = *warps_n,
          .stages = config.integer("stages"),
          .q_in_registers = config.word("q") == "registers",
          .packed = config.word("pack") == "yes",
          .padded = config.word("swizzle") == "padded",
          .min_blocks = config.integer("min_blocks"),
          .splits = config.integer_or("splits", 1),
          .order = static_cast<BlockOrder>(config.integer_or("order", 0))};
}

std::int64_t shared_bytes(const MmaShape& shape, const Problem& problem) noexcept {
  const std::int64_t qk_row = row_bytes(shape, 2 * ceil_div(problem.head_dim_qk, 16));
  const std::int64_t v_row = row_bytes(shape, problem.head_dim_v / 8);
  const std::int64_t q = shape.tile_m * qk_row;
  const std::int64_t stages = shape.stages * shape.tile_n * (qk_row + v_row);
  const std::int64_t out = shape.tile_m * v_row;
  // templates/cuda/merge_warps.cuh: half of the warps put down their part of O, max and sum at once.
  const std::int64_t lane_values = shape.row_blocks() * (problem.head_dim_v / 2 + 4);
  const std::int64_t merge = shape.warps() / 2 * 32 * 4 * lane_values;
  return std::max({shape.q_in_registers ? std::max(q, stages) : q + stages, out, shape.warps_n > 1 ? merge : 0});
}

std::int64_t registers_needed(const MmaShape& shape, const Problem& problem) noexcept {
  const std::int64_t out = problem.head_dim_v / 2;
  const std::int64_t scores = shape.keys_per_warp() / 2;
  const std::int64_t q = shape.q_in_registers ? 4 * ceil_div(problem.head_dim_qk, 16) : 0;
  const std::int64_t statistics_and_fragments = 4 + 4;
  // Addresses of the chunks of K a thread copies at once.
  const auto chunks = static_cast<std::uint64_t>(2 * ceil_div(problem.head_dim_qk, 16));
  const auto lanes_a_row = static_cast<std::int64_t>(std::bit_ceil(chunks));
  const std::int64_t copies = ceil_div(shape.tile_n * lanes_a_row, shape.threads());
  return shape.row_blocks() * (out + scores + q + statistics_and_fragments) + copies + other_registers;
}

std::int64_t registers_allowed(const MmaShape& shape, const GpuArch& arch) noexcept {
  return std::min<std::int64_t>(255, arch.registers_per_sm / (shape.threads() * shape.min_blocks) / 8 * 8);
}

std::int64_t blocks_an_sm(const MmaShape& shape, const Problem& problem, const GpuArch& arch,
                          std::int64_t registers) noexcept {
  const std::int64_t by_threads = arch.max_warps_per_sm / shape.warps();
  const std::int64_t by_shared = arch.shared_per_sm / (shared_bytes(shape, problem) + shared_reserved);
  const std::int64_t by_registers = arch.registers_per_sm / (shape.threads() * align_up(registers, 8));
  return std::min({by_threads, by_shared, by_registers});
}

}  // namespace attentune
