// attentune space: the Configs a problem can be built with.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t shown_configs = 10;

struct Ranked {
  std::size_t index;  // place in the enumeration; decides ties, so that the output is the same every time
  Config config;
  Resources resources;
};

std::vector<Ranked> rank(const KernelFamily& family, const ConfigSpace& space, const Problem& problem,
                         const Arch& arch) {
  std::vector<Ranked> ranked;
  space.for_each([&](const Config& config) {
    ranked.push_back({ranked.size(), config, family.resources(problem, arch, config)});
    return true;
  });
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return std::pair(a.resources.cost, a.index) < std::pair(b.resources.cost, b.index);
  });
  return ranked;
}

Json resources_json(const Resources& resources) {
  return {{"cost", resources.cost},
          {"workspace_bytes", resources.workspace_bytes},
          {"shared_bytes", resources.shared_bytes},
          {"registers", resources.registers},
          {"register_budget", resources.register_budget},
          {"issue_slots", resources.issue_slots}};
}

void print_space_json(const NamedProblem& named, const KernelFamily& family, const ConfigSpace& space,
                      const std::vector<Ranked>& ranked) {
  Json dimensions = Json::array();
  for (const ConfigSpace::Dimension& dimension : space.dimensions())
    dimensions.push_back({{"name", dimension.name},
                          {"kind", dimension.kind == ChoiceKind::compile ? "compile" : "launch"},
                          {"values", dimension.values},
                          {"meaning", dimension.meaning}});
  print_json({{"event", "space"},
              {"problem", to_text(named.problem)},
              {"family", family.name()},
              {"raw", space.raw_size()},
              {"feasible", ranked.size()},
              {"dimensions", dimensions}});
  for (const Ranked& each : ranked)
    print_json({{"event", "config"},
                {"family", family.name()},
                {"config", to_text(each.config)},
                {"resources", resources_json(each.resources)}});
}

void print_text(const NamedProblem& named, const KernelFamily& family, const Arch& arch, const ConfigSpace& space,
                const std::vector<Ranked>& ranked, const double least) {
  fmt::print("{}\nfamily {} on {}: {} points before rules, {} feasible and ranked\n\n", to_text(named.problem),
             family.name(), short_name(arch), space.raw_size(), ranked.size());
  for (const ConfigSpace::Dimension& dimension : space.dimensions())
    fmt::print("{} ({}): {}\n  {}\n", dimension.name, dimension.kind == ChoiceKind::compile ? "compile" : "launch",
               dimension.meaning, fmt::join(dimension.values, " "));
  fmt::print("\nbest by predicted cost (1 = the best of all):\n");
  Table best({"cost", "registers", "issue", "scratch", "workspace", "config"});
  for (std::size_t n = 0; n < std::min(shown_configs, ranked.size()); ++n) {
    const Resources& resources = ranked[n].resources;
    best.add(
        {fmt::format("{:.3f}", least > 0 ? resources.cost / least : resources.cost),
         resources.register_budget > 0 ? fmt::format("{:.0f}/{:.0f}", resources.registers, resources.register_budget)
                                       : fmt::format("{:.0f}", resources.registers),
         resources.issue_slots > 0 ? fmt::format("{:.2f}", resources.issue_slots) : "-",
         format_bytes(resources.shared_bytes), format_bytes(resources.workspace_bytes), to_text(ranked[n].config)});
  }
  fmt::print("{}\ndefault: {}\n", best.text(), to_text(family.default_config(named.problem, arch)));
}

}  // namespace

int run_space(const Arguments& arguments) {
  const Arch arch = arch_of(arguments);
  for (const NamedProblem& named : problem_list(arguments.problems)) {
    double least = 0;
    for (const KernelFamily* family : serving_families(named.problem, arch)) {
      const ConfigSpace space = family->space(named.problem, arch);
      const std::vector<Ranked> ranked = rank(*family, space, named.problem, arch);
      if (least == 0 && !ranked.empty())
        least = ranked.front().resources.cost;
      if (arguments.json)
        print_space_json(named, *family, space, ranked);
      else
        print_text(named, *family, arch, space, ranked, least);
    }
  }
  return 0;
}

}  // namespace attentune
