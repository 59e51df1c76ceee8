#include "tools/attentune/rank_simulated.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "generator/kernel_family.h"
#include "runtime/executor.h"
#include "tools/attentune/interrupt.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/result.h"
#include "tools/attentune/session.h"
#include "tools/attentune/verdict.h"
#include "tuner/order.h"

namespace attentune {
namespace {

std::vector<FamilyConfig> order_of(const Problem& problem, const Arch& arch, const FamilyConfig& choice,
                                   const Arguments& arguments) {
  if (arguments.config)
    return {choice};
  return candidate_order({.spaces = spaces_of(serving_families(problem, arch), problem, arch),
                          .preferred = {},
                          .seed = arguments.seed,
                          .limit = std::max<std::size_t>(1, arguments.trials)});
}

void print_row(const Result& result, const Verdict& verdict, double cost) {
  fmt::print("{:>10.3f}  {:<6} {:>8.2f}  {}\n", cost, verdict.passed ? "ok" : "WRONG", verdict.worst_ratio,
             result.config);
}

}  // namespace

int rank_simulated(const std::vector<NamedProblem>& problems, const std::shared_ptr<const Device>& device,
                   const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const std::atomic<bool>& cancelled = catch_interrupts();
  const auto executor = make_pool(threads_of(arguments));
  Verifier verifier(*executor, device->memory());
  bool all_right = true;
  // What cannot be built is refused before anything runs.
  std::vector<FamilyConfig> choices;
  choices.reserve(problems.size());
  for (const NamedProblem& each : problems) {
    require_memory(each.problem);
    choices.push_back(choose(each.problem, device->arch(), arguments.config));
  }
  for (std::size_t n = 0; n < problems.size(); ++n) {
    const auto& [name, problem] = problems[n];
    const FamilyConfig& choice = choices[n];
    const std::vector<FamilyConfig> order = order_of(problem, device->arch(), choice, arguments);
    const auto cost = [&](const FamilyConfig& candidate) {
      return candidate.family->resources(problem, device->arch(), candidate.config).cost;
    };
    if (!arguments.json)
      fmt::print("{}{}{}\n{:>10}  {:<6} {:>8}  {}\n", name, name.empty() ? "" : ": ", to_text(problem), "cost",
                 "status", "error", "config");
    std::size_t tried = 0;
    const auto end = Clock::now() + std::chrono::duration<double>(arguments.budget_s);
    for (const FamilyConfig& candidate : order) {
      if (cancelled.load() || (tried > 0 && Clock::now() >= end))
        break;
      ++tried;
      const auto kernel = build(problem, device, *candidate.family, candidate.config);
      const Verdict verdict = verdict_of(verifier, problem, kernel);
      all_right = all_right && verdict.passed;
      Result result = describe(problem, name, *kernel);
      result.trust = attentune::name(verdict.passed ? Trust::verified_here : Trust::compiled_only);
      result.provenance = arguments.config ? "given_config" : candidate == choice ? "default_config" : "ranked";
      result.error = verdict.worst_ratio;
      if (arguments.json)
        fmt::print("{}", json_line(result, "result"));
      else
        print_row(result, verdict, cost(candidate) / cost(order.front()));
      flush_output();
      if (!verdict.passed)
        complain(fmt::format("{} with config '{}' is wrong: {}; report it with this line", result.problem,
                             result.config, verdict.sentence));
    }
    if (!arguments.json)
      fmt::print(
          "{} of {} Configs verified, in order of predicted cost (1 = the first's); a simulator gives counts, "
          "never seconds, so nothing is stored\n",
          tried, order.size());
    if (cancelled.load()) {
      complain("stopped; nothing is stored on a simulator, so the same command begins anew");
      break;
    }
  }
  return all_right ? 0 : 1;
}

}  // namespace attentune
