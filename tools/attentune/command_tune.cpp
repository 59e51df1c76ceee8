// attentune tune: measures Configs and stores the fastest verified one.
#include <fmt/format.h>

#include "generator/error.h"
#include "tools/attentune/command.h"
#include "tools/attentune/interrupt.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/rank_simulated.h"
#include "tools/attentune/session.h"
#include "tools/attentune/tune_report.h"
#include "tuner/tuner.h"

namespace attentune {
namespace {

std::vector<NamedProblem> problems_of(const Arguments& arguments, const Store& store) {
  if (!arguments.misses)
    return problem_list(arguments.problems);
  std::vector<NamedProblem> problems;
  for (const auto& miss : store.misses())
    problems.push_back({.name = "", .problem = parse_problem(miss.problem)});
  if (problems.empty())
    write_error("the Store records no misses; nothing to tune\n");
  return problems;
}

TuneReport::Style style_of(const Arguments& arguments) {
  if (arguments.json)
    return TuneReport::Style::json;
  return stderr_is_terminal() ? TuneReport::Style::terminal : TuneReport::Style::plain;
}

}  // namespace

int run_tune(const Arguments& arguments) {
  const auto device = device_of(arguments);
  if (arguments.misses && !arguments.problems.empty())
    throw Error(Status::misuse, "--from-misses takes its problems from the Store; leave the others out");
  if (device->identity().kind == DeviceIdentity::Kind::simulator) {
    if (arguments.misses)
      throw Error(Status::misuse, "on a simulator nothing is stored, so --from-misses has no use; name the problems");
    return rank_simulated(problem_list(arguments.problems), device, arguments);
  }
  // What cannot be built is refused before the Store is touched.
  if (!arguments.misses)
    for (const NamedProblem& named : problem_list(arguments.problems))
      (void)choose(named.problem, device->arch(), arguments.config);
  const auto store = store_of(arguments, StoreMode::read_write);
  const std::atomic<bool>& cancelled = catch_interrupts();
  bool all_won = true;
  for (const NamedProblem& named : problems_of(arguments, *store)) {
    require_memory(named.problem);
    if (!arguments.json)
      fmt::print("{}{}{}\n", named.name, named.name.empty() ? "" : ": ", to_text(named.problem));
    flush_output();
    TuneReport report(style_of(arguments), arguments.verbose, flops(named.problem));
    TuneRequest request;
    request.problem = named.problem;
    request.budget = {.seconds = arguments.budget_s, .trials = arguments.trials};
    request.only_config = arguments.config;
    request.device_name = device_name_of(arguments);
    request.seed = arguments.seed;
    request.worker_path = own_path();
    request.progress = [&](const TuneProgress& progress) { report.progress(progress); };
    request.cancelled = &cancelled;
    const TuneResult result = tune(request, device, *store);
    report.finish(named.problem, named.name, to_text(device->identity()), result);
    if (!result.winner) {
      all_won = false;
      complain(result.cancelled ? "stopped before a candidate was verified; the same command goes on from here"
                                : "no candidate passed; see the rows with --verbose, or try another --config");
    }
    if (cancelled.load()) {
      complain("stopped; what was found is stored and the same command goes on from here");
      break;
    }
  }
  return all_won ? 0 : 1;
}

}  // namespace attentune
