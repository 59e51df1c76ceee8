#include "runtime/reference/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "generator/key.h"
#include "runtime/reference/error_bound.h"
#include "runtime/reference/naive.h"
#include "runtime/reference/probe_set.h"
#include "runtime/reference/reference.h"
#include "runtime/reference/sampling.h"
#include "runtime/reference/visibility_probe.h"

namespace attentune {
namespace {

constexpr std::size_t classes_kept = 4;
constexpr double infinity = std::numeric_limits<double>::infinity();

// Filled buffers and what should come out of them.
struct Expectation {
  CallBuffers buffers;
  std::vector<Row> rows;
  ExactRows exact;
  NaiveRows naive;

  Expectation(const Problem& problem, BufferOptions options, std::uint64_t seed, Values values, std::vector<Row> chosen,
              Executor& executor, const DeviceMemory& memory)
      : buffers(problem, options, memory), rows(std::move(chosen)) {
    buffers.fill(seed, values, executor);
    exact = exact_attention(problem, buffers.tensors(), rows, executor);
    naive = naive_attention(problem, buffers.tensors(), rows, executor);
  }
};

struct PreparedProbe {
  Probe probe;
  Expectation expectation;
};

struct PreparedClass {
  std::string class_text;
  std::vector<PreparedProbe> probes;
};

Verdict failure(const Problem& problem, std::string_view what, const std::string& reason) {
  return {
      .passed = false, .worst_ratio = infinity, .sentence = fmt::format("{} ({}): {}", what, to_text(problem), reason)};
}

// One run against its expectation.
Verdict judge(Expectation& expectation, std::string_view what, const RunKernel& run) {
  CallBuffers& buffers = expectation.buffers;
  const Problem& problem = buffers.problem();
  buffers.poison();
  run(problem, buffers.device_tensors());
  buffers.download();
  if (const std::string damage = buffers.guard_damage(); !damage.empty()) {
    return failure(problem, what, "the kernel wrote outside its tensors: " + damage);
  }
  if (const std::string place = buffers.first_nan(); !place.empty()) {
    return failure(problem, what, "the kernel left a place unwritten or wrote NaN: " + place);
  }
  const Comparison comparison =
      compare(problem, buffers.tensors(), expectation.rows, expectation.exact, expectation.naive);
  Verdict verdict{.passed = comparison.passed,
                  .worst_ratio = comparison.worst_ratio,
                  .max_error = comparison.max_error,
                  .sentence = ""};
  if (!verdict.passed)
    verdict.sentence = fmt::format("{} ({}): {}", what, to_text(problem), comparison.sentence());
  return verdict;
}

// The shapes of the probe set that differ for a mask.
std::vector<Problem> visibility_problems(const Problem& problem) {
  std::vector<Problem> problems;
  for (const Probe& probe : probe_set(problem)) {
    if (probe.values == Values::normal && probe.problem.len_q > 1)
      problems.push_back(probe.problem);
  }
  return problems;
}

std::uint64_t seed_of(const Problem& problem) {
  std::uint64_t seed = 0xCBF29CE484222325U;  // FNV-1a over the canonical text
  for (const char letter : to_text(problem))
    seed = (seed ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
  return seed;
}

}  // namespace

struct Verifier::State {
  Executor& executor;
  const DeviceMemory& memory;
  std::deque<PreparedClass> classes;  // the latest first
  std::optional<Expectation> shape;

  State(Executor& own_executor, const DeviceMemory& own_memory) : executor(own_executor), memory(own_memory) {}

  PreparedClass& prepared(const Problem& problem) {
    const std::string text = class_text(problem);
    const auto found = std::find_if(classes.begin(), classes.end(),
                                    [&](const PreparedClass& known) { return known.class_text == text; });
    if (found != classes.end())
      return *found;
    PreparedClass made{.class_text = text, .probes = {}};
    for (Probe& probe : probe_set(problem)) {
      Expectation expectation(probe.problem, probe.options, probe.seed, probe.values, all_rows(probe.problem), executor,
                              memory);
      made.probes.push_back({.probe = std::move(probe), .expectation = std::move(expectation)});
    }
    classes.push_front(std::move(made));
    if (classes.size() > classes_kept)
      classes.pop_back();
    return classes.front();
  }

  Expectation& at_shape(const Problem& problem) {
    if (!shape || !(shape->buffers.problem() == problem)) {
      shape.reset();  // before the next: large operands must not stand in memory twice
      const std::uint64_t seed = seed_of(problem);
      shape.emplace(problem, BufferOptions{}, seed, Values::normal, sample_rows(problem, seed), executor, memory);
    }
    return *shape;
  }
};

Verifier::Verifier(Executor& executor, const DeviceMemory& memory)
    : state_(std::make_unique<State>(executor, memory)) {}
Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

Verdict Verifier::verify(const Problem& problem, const RunKernel& run) {
  Verdict verdict = verify_class(problem, run);
  if (verdict.passed) {
    const double class_ratio = verdict.worst_ratio;
    verdict = verify_shape(problem, run);
    verdict.worst_ratio = std::max(verdict.worst_ratio, class_ratio);
  }
  return verdict;
}

Verdict Verifier::verify_class(const Problem& problem, const RunKernel& run) {
  Verdict total;
  for (PreparedProbe& prepared : state_->prepared(problem).probes) {
    const Verdict verdict = judge(prepared.expectation, prepared.probe.what, run);
    if (!verdict.passed)
      return verdict;
    total.worst_ratio = std::max(total.worst_ratio, verdict.worst_ratio);
  }
  if (!has_visibility_probe(problem))
    return total;
  for (const Problem& shape : visibility_problems(problem)) {
    if (const auto reason = visibility_probe(shape, run, state_->executor, state_->memory)) {
      return failure(shape, "visibility probe", *reason);
    }
  }
  return total;
}

Verdict Verifier::verify_shape(const Problem& problem, const RunKernel& run) {
  return judge(state_->at_shape(problem), "sampled rows", run);
}

CallBuffers& Verifier::buffers(const Problem& problem) { return state_->at_shape(problem).buffers; }

Verdict check_result(const Problem& problem, const AttentionTensors& tensors, Executor& executor, double budget_flop) {
  const std::vector<Row> rows = sample_rows(problem, seed_of(problem), budget_flop);
  const ExactRows exact = exact_attention(problem, tensors, rows, executor);
  const NaiveRows naive = naive_attention(problem, tensors, rows, executor);
  const Comparison comparison = compare(problem, tensors, rows, exact, naive);
  return {.passed = comparison.passed,
          .worst_ratio = comparison.worst_ratio,
          .max_error = comparison.max_error,
          .sentence = comparison.passed ? std::string() : comparison.sentence()};
}

}  // namespace attentune
