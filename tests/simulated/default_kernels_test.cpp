// What ships by default, simulated: no tile of the default kernels of known models fits the short lengths at which
// other tests ask for a default.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "generator/default_cases.h"
#include "generator/kernel_family.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

// Wide and narrow tiles, two and three consumer warpgroups, split keys.
constexpr std::string_view first[]{"llama-3.1-8b.prefill", "llama-3.1-8b.decode", "deepseek-v3.mla.prefill",
                                   "gpt-oss.local.prefill"};

// All of them with --no-skip (a minute or two).
bool is_chosen(std::string_view name) {
  return doctest::getContextOptions()->no_skip || std::ranges::find(first, name) != std::end(first);
}

void check_defaults(const std::string& simulator) {
  const auto device = open_or_skip(simulator);
  if (!device)
    return;
  const auto executor = make_pool(0);
  Verifier verifier(*executor);
  std::size_t verified = 0;
  for (const auto& [named, config] : default_cases(device->arch(), device->workers())) {
    if (!is_chosen(named.name))
      continue;
    CAPTURE(named.name);
    CAPTURE(to_text(named.problem));
    CAPTURE(to_text(config));
    const KernelFamily& family = family_for(named.problem, device->arch(), config);
    const Verdict verdict = verifier.verify(named.problem, runner(load(device, family, named.problem, config)));
    CHECK_MESSAGE(verdict.passed, verdict.sentence);
    ++verified;
  }
  CHECK(verified >= std::size(first));
}

}  // namespace

TEST_CASE("the default kernels of known models are right on the simulator of sm_80") {
  check_defaults("sim:sm_80,seed=7");
}

TEST_CASE("the default kernels of known models are right on the simulator of sm_90a") {
  check_defaults("sim:sm_90a,seed=8");
}
