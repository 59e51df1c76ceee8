// attentune run: one problem, on random inputs or the user's arrays, checked.
#include <fmt/format.h>

#include "generator/error.h"
#include "runtime/reference/verify.h"
#include "tools/attentune/array_files.h"
#include "tools/attentune/command.h"
#include "tools/attentune/kernel_picker.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/result.h"
#include "tools/attentune/session.h"
#include "tuner/sampler.h"
#include "tuner/time_stats.h"

namespace attentune {
namespace {

constexpr std::uint64_t input_seed = 1;
constexpr double check_budget_flop = 1e9;
constexpr SamplePlan plan{.samples = 5, .minimum_ms = 1, .limit_ms = 1000};

void print_text(const Result& result, bool passed) {
  fmt::print("{}{}{}\n", result.name, result.name.empty() ? "" : ": ", result.problem);
  fmt::print("  kernel     {} {} ({}, {})\n", result.family, result.config, result.trust, result.provenance);
  fmt::print("  device     {}\n", result.device);
  if (result.time_ms)
    fmt::print("  time       {}, spread {:.1f} %, {}\n", format_ms(*result.time_ms), result.spread.value_or(0) * 100,
               format_rate(result.flops.value_or(0)));
  fmt::print("  error      {:.2f} of the bound: {}\n", result.error.value_or(0), passed ? "correct" : "WRONG");
}

std::vector<NamedProblem> problems_of(const Arguments& arguments, const std::optional<InputArrays>& arrays) {
  if (!arrays && arguments.arrays.lse.empty())
    return problem_list(arguments.problems);
  std::vector<NamedProblem> problems;
  for (ProblemDraft& draft : problem_drafts(arguments.problems)) {
    if (arrays)
      derive_fields(draft, *arrays, arguments.arrays);
    if (!arguments.arrays.lse.empty())
      draft.fields["outputs"] = "out,lse";
    problems.push_back(finish(draft));
  }
  return problems;
}

bool run_one(const NamedProblem& named, const Arguments& arguments, const std::optional<InputArrays>& arrays,
             KernelPicker& picker, Executor& executor) {
  const Problem& problem = named.problem;
  require_memory(problem);
  const Device& device = *picker.device();
  CallBuffers buffers(problem, {}, device.memory());
  if (arrays)
    load_inputs(problem, *arrays, arguments.arrays, buffers);
  else
    buffers.fill(input_seed, Values::normal, executor);
  buffers.poison();
  const PickedKernel picked = picker.pick(problem);
  const Workspace workspace(picked.kernel->workspace_bytes(problem), device.memory());
  const Binding binding = picked.kernel->bind(problem, buffers.device_tensors(), workspace.data(), workspace.size());
  Result result = describe(problem, named.name, *picked.kernel);
  result.trust = picked.trust;
  result.provenance = picked.provenance;
  if (device.can_time()) {
    const TimeSummary time = summarize(take_samples([&](const int calls) { return binding.time_ms(calls); }, plan));
    set_time(result, problem, time.median, time.spread);
  } else {
    binding.launch();
  }
  device.synchronize();
  buffers.download();
  const Verdict verdict = check_result(problem, buffers.tensors(), executor, check_budget_flop);
  result.error = verdict.worst_ratio;
  if (arguments.json)
    fmt::print("{}", json_line(result, "result"));
  else
    print_text(result, verdict.passed);
  flush_output();
  // Written even when it is wrong: whoever compares it wants to see what is wrong.
  write_outputs(problem, buffers, arguments.arrays);
  if (!verdict.passed)
    complain(fmt::format("the result is wrong: {}; `attentune verify` with this problem tells more", verdict.sentence));
  return verdict.passed;
}

}  // namespace

int run_run(const Arguments& arguments) {
  require_outputs(arguments.arrays);
  const std::optional<InputArrays> arrays = read_inputs(arguments.arrays);
  const std::vector<NamedProblem> problems = problems_of(arguments, arrays);
  if (!arguments.arrays.empty() && problems.size() > 1)
    throw Error(Status::misuse, fmt::format("arrays belong to one problem and {} are given; give one (a model's layer "
                                            "and --phase)",
                                            problems.size()));
  KernelPicker picker(arguments);
  const auto executor = make_pool(threads_of(arguments));
  bool passed = true;
  for (const NamedProblem& named : problems)
    passed = run_one(named, arguments, arrays, picker, *executor) && passed;
  return passed ? 0 : 1;
}

}  // namespace attentune
