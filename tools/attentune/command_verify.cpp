// attentune verify: kernels against the exact reference.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "generator/error.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"
#include "tools/attentune/command.h"
#include "tools/attentune/coverage_report.h"
#include "tools/attentune/covering_list.h"
#include "tools/attentune/launch_variants.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/problem_list.h"
#include "tools/attentune/result.h"
#include "tools/attentune/session.h"
#include "tools/attentune/verdict.h"

namespace attentune {
namespace {

// The default Config and `count` points spread evenly over the space.
std::vector<FamilyConfig> spread(const KernelFamily& family, const Problem& problem, const Arch& arch,
                                 std::uint64_t count) {
  std::vector<FamilyConfig> configs{{.family = &family, .config = family.default_config(problem, arch)}};
  const ConfigSpace space = family.space(problem, arch);
  const std::uint64_t feasible = space.feasible_size();
  const std::uint64_t step = std::max<std::uint64_t>(1, feasible / std::max<std::uint64_t>(1, count));
  std::uint64_t index = 0;
  space.for_each([&](const Config& config) {
    if (index++ % step == step / 2 && config != configs.front().config)
      configs.push_back({.family = &family, .config = config});
    return configs.size() <= count;
  });
  return configs;
}

std::vector<FamilyConfig> chosen_of(const Arguments& arguments, const CoveringCase& each, const Arch& arch) {
  const Problem& problem = each.named.problem;
  if (!arguments.sample || each.config)
    return {choose(problem, arch, each.config ? to_text(*each.config) : arguments.config)};
  std::vector<FamilyConfig> chosen;
  for (const KernelFamily* family : serving_families(problem, arch))
    std::ranges::move(spread(*family, problem, arch, *arguments.sample), std::back_inserter(chosen));
  return chosen;
}

std::vector<FamilyConfig> configs_of(const Arguments& arguments, const CoveringCase& each, const Arch& arch) {
  std::vector<FamilyConfig> chosen = chosen_of(arguments, each, arch);
  if (!arguments.coverage)
    return chosen;
  std::vector<FamilyConfig> configs;
  for (const auto& [family, config] : chosen) {
    for (Config& variant : launch_variants(family->space(each.named.problem, arch), config))
      configs.push_back({.family = family, .config = std::move(variant)});
  }
  return configs;
}

struct Tally {
  int checked = 0;
  int failed = 0;
  int not_served = 0;
  CoverageReport coverage;
};

void verify_one(const NamedProblem& named, const std::shared_ptr<const Device>& device, const KernelFamily& family,
                const Config& config, Verifier& verifier, const Arguments& arguments, Tally& tally) {
  const Rendering rendering = render(family, named.problem, config, device->arch(), device->compiler());
  const auto kernel = Kernel::load(device, named.problem, config, compile(rendering, device->compiler()));
  const Verdict verdict = verdict_of(verifier, named.problem, kernel);
  ++tally.checked;
  tally.failed += verdict.passed ? 0 : 1;
  Result result = describe(named.problem, named.name, *kernel);
  result.trust = name(verdict.passed ? Trust::verified_here : Trust::compiled_only);
  result.provenance = config == family.default_config(named.problem, device->arch())
                          ? std::string(name(Provenance::default_config))
                          : "given_config";
  result.error = verdict.worst_ratio;
  if (arguments.json)
    fmt::print("{}", json_line(result, "result"));
  else
    fmt::print("{:<6} {}  error {:.2f} of the bound  [{}]\n", verdict.passed ? "ok" : "WRONG", result.problem,
               verdict.worst_ratio, result.config);
  if (arguments.coverage)
    tally.coverage.add(*kernel, rendering.source);
  flush_output();
  if (!verdict.passed)
    complain(fmt::format("{} with config '{}' is wrong: {}; report it with this line", result.problem, result.config,
                         verdict.sentence));
}

}  // namespace

int run_verify(const Arguments& arguments) {
  if (arguments.config && arguments.sample)
    throw Error(Status::misuse, "--config and --all-configs exclude each other; give one of them");
  const auto device = device_of(arguments);
  std::vector<CoveringCase> cases;
  if (arguments.all)
    cases = covering_cases(device->arch(), device->workers());
  else
    for (NamedProblem& each : problem_list(arguments.problems))
      cases.push_back({.named = std::move(each), .config = std::nullopt});
  if (arguments.coverage && device->identity().kind != DeviceIdentity::Kind::simulator)
    throw Error(Status::misuse, "--coverage needs a simulator; add --device sim:sm_80");
  const auto executor = make_pool(threads_of(arguments));
  Verifier verifier(*executor, device->memory());
  Tally tally;
  for (const CoveringCase& each : cases) {
    const Problem& problem = each.named.problem;
    if (arguments.all && !is_served(problem, device->arch())) {
      ++tally.not_served;
      continue;
    }
    require_memory(problem);
    for (const auto& [family, config] : configs_of(arguments, each, device->arch()))
      verify_one(each.named, device, *family, config, verifier, arguments, tally);
  }
  if (arguments.coverage && !arguments.json)
    fmt::print("{}", tally.coverage.text());
  if (!arguments.json)
    fmt::print("{} verified, {} wrong{}\n", tally.checked - tally.failed, tally.failed,
               tally.not_served == 0 ? "" : fmt::format("; {} of the list are not served here", tally.not_served));
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace attentune
