#include "tests/simulated/covering_runs.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

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
    runs.push_back({.problem = many_keys(problem), .config = variant, .values = Values::rising});
  return runs;
}

Verdict verify(const CoveringRun& run, const RunKernel& kernel, Verifier& verifier, Executor& executor) {
  if (run.values == Values::normal)
    return verifier.verify_shape(run.problem, kernel);
  constexpr double budget_flop = 1e12;  // for all rows of problems as small as these
  CallBuffers buffers(run.problem);
  buffers.fill(1, run.values, executor);
  buffers.poison();
  kernel(run.problem, buffers.device_tensors());
  buffers.download();
  if (const std::string damage = buffers.guard_damage(); !damage.empty())
    return {.passed = false,
            .worst_ratio = std::numeric_limits<double>::infinity(),
            .sentence = "the kernel wrote outside its tensors: " + damage};
  return check_result(run.problem, buffers.tensors(), executor, budget_flop);
}

}  // namespace attentune
