// attentune bench: times kernels and compares them with ceilings measured in the same run.
#include <fmt/format.h>

#include <optional>

#include "generator/error.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/verify.h"
#include "tools/attentune/ceilings.h"
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
// A benchmark of a wrong kernel is worth nothing; a fraction of a second says whether it is.
constexpr double check_budget_flop = 2e8;
constexpr SamplePlan plan{.samples = 21, .minimum_ms = 5, .limit_ms = 5000};

struct Rates {
  double multiply_add = 0;
  double read = 0;
  double copy = 0;
};

// Leaves the results in buffers.tensors().
void time_kernel(const Kernel& kernel, const Problem& problem, CallBuffers& buffers, Result& result) {
  const Device& device = kernel.device();
  const Workspace workspace(kernel.workspace_bytes(problem), device.memory());
  const Binding binding = kernel.bind(problem, buffers.device_tensors(), workspace.data(), workspace.size());
  if (device.can_time()) {
    const TimeSummary time = summarize(take_samples([&](const int calls) { return binding.time_ms(calls); }, plan));
    set_time(result, problem, time.median, time.spread);
  } else {
    binding.launch();
  }
  device.synchronize();
  buffers.download();
}

void print_text(const Result& result, const std::optional<Rates>& rates, double working_set, const Device& device) {
  fmt::print("{}{}{}\n", result.name, result.name.empty() ? "" : ": ", result.problem);
  fmt::print("  kernel     {} {} ({}, {})\n", result.family, result.config, result.trust, result.provenance);
  if (result.time_ms)
    fmt::print("  time       {}, spread {:.1f} %{}\n", format_ms(*result.time_ms), result.spread.value_or(0) * 100,
               rates ? fmt::format(", {} thread(s)", device.workers()) : "");
  if (rates) {
    fmt::print("  speed      {}, {:.1f} % of the ceiling {}\n", format_rate(result.flops.value_or(0)),
               result.fraction.value_or(0) * 100, format_rate(result.ceiling.value_or(0)));
    fmt::print("  ceilings   multiply-add {}, read {:.1f} GB/s and copy {:.1f} GB/s at {}\n",
               format_rate(rates->multiply_add), rates->read / 1e9, rates->copy / 1e9, format_bytes(working_set));
  } else if (result.flops) {
    fmt::print("  speed      {}\n", format_rate(*result.flops));
  }
  if (const std::string counts = device.counts(); !counts.empty())
    fmt::print("  counts     {}\n", counts);
  fmt::print("  error      {:.2f} of the bound\n", result.error.value_or(0));
}

}  // namespace

int run_bench(const Arguments& arguments) {
  const std::vector<NamedProblem> problems = problem_list(arguments.problems);
  KernelPicker picker(arguments);
  const Device& device = *picker.device();
  // Ceilings of other devices are what is known of them, not what this program could measure.
  const bool on_host = device.identity().kind == DeviceIdentity::Kind::host;
  std::optional<Ceilings> ceilings;
  if (on_host)
    ceilings.emplace(device.arch(), device.workers());
  const auto executor = make_pool(on_host ? device.workers() : threads_of(arguments));
  bool passed = true;
  for (const NamedProblem& named : problems) {
    require_memory(named.problem);
    const PickedKernel picked = picker.pick(named.problem);
    CallBuffers buffers(named.problem, {}, device.memory());
    buffers.fill(input_seed, Values::normal, *executor);
    buffers.poison();
    Result result = describe(named.problem, named.name, *picked.kernel);
    result.trust = picked.trust;
    result.provenance = picked.provenance;
    time_kernel(*picked.kernel, named.problem, buffers, result);
    const double moved = bytes(named.problem);
    std::optional<Rates> rates;
    if (ceilings) {
      // After the kernel, so that both find the machine equally warm.
      rates = {.multiply_add = ceilings->multiply_add(), .read = ceilings->read(moved), .copy = ceilings->copy(moved)};
      result.ceiling = roofline(flops(named.problem), moved, rates->multiply_add, rates->read);
      if (result.flops && *result.ceiling > 0)
        result.fraction = *result.flops / *result.ceiling;
    }
    const Verdict verdict = check_result(named.problem, buffers.tensors(), *executor, check_budget_flop);
    result.error = verdict.worst_ratio;
    if (arguments.json)
      fmt::print("{}", json_line(result, "result"));
    else
      print_text(result, rates, moved, device);
    flush_output();
    if (!verdict.passed) {
      passed = false;
      complain(
          fmt::format("the result is wrong: {}; `attentune verify` with this problem tells more", verdict.sentence));
    }
  }
  return passed ? 0 : 1;
}

}  // namespace attentune
