// attentune verify: kernels against the exact reference.
#include <fmt/format.h>

#include <algorithm>

#include "generator/error.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "tools/attentune/command.h"
#include "tools/attentune/covering_list.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/result.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

// The default Config and `count` points spread evenly over the space.
std::vector<Config> spread(const KernelFamily& family, const Problem& problem, const Arch& arch, std::uint64_t count) {
  std::vector<Config> configs{family.default_config(problem, arch)};
  const ConfigSpace space = family.space(problem, arch);
  const std::uint64_t feasible = space.feasible_size();
  const std::uint64_t step = std::max<std::uint64_t>(1, feasible / std::max<std::uint64_t>(1, count));
  std::uint64_t index = 0;
  space.for_each([&](const Config& config) {
    if (index++ % step == step / 2 && !(config == configs.front()))
      configs.push_back(config);
    return configs.size() <= count;
  });
  return configs;
}

std::vector<Config> configs_of(const Arguments& arguments, const Problem& problem, const Arch& arch) {
  if (arguments.sample)
    return spread(family_for(problem, arch), problem, arch, *arguments.sample);
  return {choose(problem, arch, arguments.config).config};
}

struct Tally {
  int checked = 0;
  int failed = 0;
};

void verify_one(const NamedProblem& named, const std::shared_ptr<const Device>& device, const Config& config,
                Verifier& verifier, bool json, Tally& tally) {
  const auto kernel = build(named.problem, device, family_for(named.problem, device->arch()), config);
  const Verdict verdict = verifier.verify(named.problem, runner(kernel));
  ++tally.checked;
  tally.failed += verdict.passed ? 0 : 1;
  Result result = describe(named.problem, named.name, *kernel);
  result.trust = name(verdict.passed ? Trust::verified_here : Trust::compiled_only);
  result.provenance = config == family_for(named.problem, device->arch()).default_config(named.problem, device->arch())
                          ? std::string(name(Provenance::default_config))
                          : "given_config";
  result.error = verdict.worst_ratio;
  if (json)
    fmt::print("{}", json_line(result, "result"));
  else
    fmt::print("{:<6} {}  error {:.2f} of the bound  [{}]\n", verdict.passed ? "ok" : "WRONG", result.problem,
               verdict.worst_ratio, result.config);
  flush_output();
  if (!verdict.passed)
    complain(fmt::format("{} with config '{}' is wrong: {}; report it with this line", result.problem, result.config,
                         verdict.sentence));
}

}  // namespace

int run_verify(const Arguments& arguments) {
  if (arguments.config && arguments.sample)
    throw Error(Status::misuse, "--config and --all-configs exclude each other; give one of them");
  std::vector<NamedProblem> problems;
  if (arguments.all)
    problems = covering_list();
  if (!arguments.all || !arguments.problems.empty())
    for (NamedProblem& each : problem_list(arguments.problems))
      problems.push_back(std::move(each));
  const auto device = device_of(arguments);
  const auto executor = make_pool(threads_of(arguments));
  Verifier verifier(*executor, device->memory());
  Tally tally;
  for (const NamedProblem& named : problems) {
    require_memory(named.problem);
    for (const Config& config : configs_of(arguments, named.problem, device->arch()))
      verify_one(named, device, config, verifier, arguments.json, tally);
  }
  if (!arguments.json)
    fmt::print("{} verified, {} wrong\n", tally.checked - tally.failed, tally.failed);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace attentune
