// attentune problems: the workloads by name, or problems in canonical text.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/attentune/command.h"
#include "tools/attentune/covering_list.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

std::string_view phases_text(Workload::Phases phases) {
  switch (phases) {
    case Workload::Phases::both:
      return "prefill decode";
    case Workload::Phases::prefill_only:
      return "prefill";
    case Workload::Phases::decode_only:
      return "decode";
  }
  return "";
}

std::string full_name(const Workload& workload) {
  return workload.layer.empty() ? std::string(workload.model) : fmt::format("{}.{}", workload.model, workload.layer);
}

void list_workloads(bool json) {
  Table table({"model", "phases", "seq", "problem"});
  for (const Workload& workload : workloads()) {
    if (json)
      print_json({{"event", "workload"},
                  {"name", full_name(workload)},
                  {"phases", phases_text(workload.phases)},
                  {"seq", workload.seq},
                  {"problem", workload.problem},
                  {"source", workload.source}});
    table.add({full_name(workload), std::string(phases_text(workload.phases)), fmt::format("{}", workload.seq),
               std::string(workload.problem)});
  }
  if (!json)
    fmt::print("{}\nUse one with --model NAME [--seq N] [--phase prefill|decode]; gemma-2-9b names all its layers.\n",
               table.text());
}

std::vector<CoveringCase> cases_of(const Arguments& arguments) {
  if (arguments.all) {
    const auto device = device_of(arguments);
    return covering_cases(device->arch(), device->workers());
  }
  std::vector<CoveringCase> cases;
  for (NamedProblem& each : problem_list(arguments.problems))
    cases.push_back({.named = std::move(each), .config = std::nullopt});
  return cases;
}

}  // namespace

int run_problems(const Arguments& arguments) {
  if (arguments.problems.empty() && !arguments.all) {
    list_workloads(arguments.json);
    return 0;
  }
  for (const CoveringCase& each : cases_of(arguments)) {
    const auto& [name, problem] = each.named;
    const double work = flops(problem);
    const std::string config = each.config ? to_text(*each.config) : "";
    if (arguments.json) {
      print_json({{"event", "problem"},
                  {"problem", to_text(problem)},
                  {"name", name},
                  {"config", config},
                  {"flop", work},
                  {"bytes", bytes(problem)}});
      continue;
    }
    fmt::print("{}  # {}{}{:.3g} GFLOP, {}{}{}\n", to_text(problem), name, name.empty() ? "" : ": ", work / 1e9,
               format_bytes(bytes(problem)), config.empty() ? "" : ", config ", config);
  }
  return 0;
}

}  // namespace attentune
