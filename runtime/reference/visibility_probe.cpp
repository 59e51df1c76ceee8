#include "runtime/reference/visibility_probe.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "generator/expression.h"
#include "runtime/reference/row.h"

namespace attentune {
namespace {

std::vector<std::int64_t> counts_by_query(const Problem& problem) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(problem.len_q));
  for (std::int64_t i = 0; i < problem.len_q; ++i) {
    for (std::int64_t j = 0; j < problem.len_kv; ++j) {
      if (visible(problem.mask, i, j, problem.shift()))
        ++counts[static_cast<std::size_t>(i)];
    }
  }
  return counts;
}

}  // namespace

bool has_visibility_probe(const Problem& problem) { return problem.lse && apply(problem.score, 0.0) == 0.0; }

std::optional<std::string> visibility_probe(const Problem& problem, const RunKernel& run, Executor& executor,
                                            const DeviceMemory& memory) {
  CallBuffers buffers(problem, {}, memory);
  buffers.fill(1, Values::counting, executor);  // Q = 0; a sink at logit 0 counts as one key
  const AttentionTensors& tensors = buffers.tensors();
  buffers.poison();
  run(problem, buffers.device_tensors());
  buffers.download();

  const std::vector<std::int64_t> counts = counts_by_query(problem);
  for (const Row& row : all_rows(problem)) {
    const std::int64_t keys = counts[static_cast<std::size_t>(row.query)];
    if (keys > most_countable_keys)
      continue;
    const LseView& lse = tensors.lse;
    const auto value =
        static_cast<double>(lse.data[row.batch * lse.stride[0] + row.head * lse.stride[1] + row.query * lse.stride[2]]);
    const double counted = std::round(std::exp(value)) - (problem.sink_logit ? 1.0 : 0.0);
    if (counted == static_cast<double>(keys))
      continue;
    return fmt::format("with Q = 0, batch {} query {} head {} sees {} keys instead of {}", row.batch, row.query,
                       row.head, counted, keys);
  }
  return std::nullopt;
}

}  // namespace attentune
