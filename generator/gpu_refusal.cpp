#include "generator/gpu_refusal.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::int64_t max_head_dim = 256;
// Rows and keys are counted in 32 bits on the device, and windows reach as far again (templates/cuda/mask.cuh). Of what
// that allows, the last size of a bucket (generator/bucket.h): lengths of one bucket are served all or not at all.
constexpr std::int64_t max_length = std::int64_t{3} << 28;
constexpr std::int64_t max_rows = (std::int64_t{1} << 31) - 1;

std::optional<Refusal> dtype_refusal(const std::string_view family, const Problem& problem) {
  const std::array<std::pair<std::string_view, Dtype>, 4> operands{
      {{"dtype", problem.q}, {"k", problem.k}, {"v", problem.v}, {"out", problem.out}}};
  for (const auto& [field, dtype] : operands) {
    if (dtype != Dtype::f16 && dtype != Dtype::bf16) {
      return Refusal{std::string(field), std::string(attentune::name(dtype)),
                     fmt::format("{} serves f16 and bf16", family), fmt::format("use {}=bf16", field)};
    }
    if (dtype != problem.q) {
      return Refusal{std::string(field), std::string(attentune::name(dtype)),
                     fmt::format("{} serves one dtype for Q, K, V and out", family),
                     fmt::format("use {}={}", field, attentune::name(problem.q))};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> size_refusal(const std::string_view family, const Problem& p) {
  if (p.head_dim_qk % 8 != 0 || p.head_dim_v % 8 != 0 || std::max(p.head_dim_qk, p.head_dim_v) > max_head_dim) {
    return Refusal{"head_dim", pair_text(p.head_dim_qk, p.head_dim_v),
                   fmt::format("{} serves multiples of 8 to {}", family, max_head_dim),
                   "pad the tensors with zeros, or use --device host"};
  }
  if (std::max(p.len_q, p.len_kv) > max_length) {
    return Refusal{"seq", pair_text(p.len_q, p.len_kv), fmt::format("{} serves lengths to {}", family, max_length),
                   "split the queries over several calls"};
  }
  if (static_cast<double>(p.batch) * static_cast<double>(p.heads_q) * static_cast<double>(p.len_q) >
      static_cast<double>(max_rows)) {
    return Refusal{"batch", std::to_string(p.batch),
                   fmt::format("{} serves batch * heads * queries to {}", family, max_rows),
                   "split the batch over several calls"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> gpu_refusal(const std::string_view family, const Problem& problem) {
  if (problem.pass != Pass::forward) {
    return Refusal{"pass", "backward", fmt::format("{} computes the forward pass", family), "use pass=forward"};
  }
  if (problem.layout != Layout::dense) {
    return Refusal{"layout", problem.layout == Layout::varlen ? "varlen" : "paged",
                   fmt::format("{} serves dense tensors", family), "use layout=dense, one call a sequence"};
  }
  if (auto reason = dtype_refusal(family, problem))
    return reason;
  if (problem.alignment < 16) {
    return Refusal{"align", std::to_string(problem.alignment), fmt::format("{} copies 16 bytes at a time", family),
                   "align pointers and strides to 16 bytes, or use --device host"};
  }
  return size_refusal(family, problem);
}

}  // namespace attentune
