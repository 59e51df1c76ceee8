#include "tests/simulated/covering_runs.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/reference/random_tensors.h"
#include "tools/attentune/launch_variants.h"

namespace attentune {
namespace {

// With at least so many query heads.
Problem with_heads(Problem problem, const std::int64_t heads_q) {
  const std::int64_t group = problem.group();
  problem.heads_kv = (heads_q + group - 1) / group;
  problem.heads_q = problem.heads_kv * group;
  return problem;
}

// Rows that see nothing, and rows that see few keys. With so small a scale all scores are near 0, and where there are
// sinks those of some heads outweigh them.
Problem few_keys(const Problem& problem) {
  Problem shape = with_heads(problem, 6);
  shape.len_q = 150;
  shape.len_kv = 45;
  shape.scale = 0.01;
  return shape;
}

// A sink outweighs one key also after keys were split over blocks, whose shares are compared by their sums.
Problem one_key(const Problem& problem) {
  Problem shape = few_keys(problem);
  shape.len_q = 13;
  shape.len_kv = 1;
  return shape;
}

// As many rows as a warp holds at most, and one.
Problem no_keys(const Problem& problem) {
  Problem shape = problem;
  shape.len_q = 33;
  shape.len_kv = 0;
  return shape;
}

// More tiles of keys than stages, many of them visible to all rows whatever the mask: wide windows. A negative scale
// has code of its own.
Problem many_keys(const Problem& problem) {
  Problem shape = with_heads(problem, 1);
  shape.len_q = 33;
  shape.len_kv = 1100;
  shape.scale = -1.0;
  for (std::size_t slot = 0; slot < shape.mask.arguments.size(); ++slot)
    shape.mask.arguments[slot] = 400 + 100 * static_cast<std::int64_t>(slot);
  return shape;
}

void clear_first_keys(const Problem& problem, const TensorView& k) {
  const std::size_t element = size_of(k.dtype);
  for (std::int64_t batch = 0; batch < problem.batch; ++batch) {
    for (std::int64_t row = 0; row < problem.len_kv / 2; ++row) {
      for (std::int64_t head = 0; head < problem.heads_kv; ++head) {
        const std::int64_t place = batch * k.stride[0] + row * k.stride[1] + head * k.stride[2];
        std::memset(static_cast<std::byte*>(k.data) + static_cast<std::size_t>(place) * element, 0,
                    static_cast<std::size_t>(problem.head_dim_qk) * element);
      }
    }
  }
}

}  // namespace

std::vector<CoveringRun> covering_runs(const Problem& problem, const ConfigSpace& space, const Config& config) {
  std::vector<CoveringRun> runs;
  const std::vector<Config> variants = launch_variants(space, config);
  for (const Problem& shape : {problem, no_keys(problem), one_key(problem), few_keys(problem)}) {
    for (const Config& variant : variants)
      runs.push_back({.problem = shape, .config = variant});
  }
  // Maxima that grow in the middle of a row's tiles: bounded scores (softcap) of random keys are as large in the first
  // tile as in any.
  for (const Config& variant : variants)
    runs.push_back({.problem = many_keys(problem), .config = variant, .late_scores = true});
  return runs;
}

Verdict verify(const CoveringRun& run, const RunKernel& kernel, Verifier& verifier, Executor& executor) {
  if (!run.late_scores)
    return verifier.verify_shape(run.problem, kernel);
  constexpr double all_rows = 1e12;
  CallBuffers buffers(run.problem);
  buffers.fill(1, Values::normal, executor);
  clear_first_keys(run.problem, buffers.tensors().k);
  buffers.poison();
  kernel(run.problem, buffers.device_tensors());
  return check_result(run.problem, buffers.tensors(), executor, all_rows);
}

}  // namespace attentune
