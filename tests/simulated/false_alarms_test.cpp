// No false alarms: whatever `attentune verify --all` runs on a simulator passes, whatever the order of events. Some
// minutes, so only with --no-skip.
#include <doctest/doctest.h>

#include <string>

#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "tests/simulated/simulated.h"
#include "tools/attentune/covering_list.h"

using namespace attentune;

TEST_CASE("the whole verify list passes with every seed" * doctest::skip()) {
  const auto executor = make_pool(0);
  Verifier verifier(*executor);
  for (const std::string name :
       {"sim:sm_80,seed=1", "sim:sm_80,seed=2,eager", "sim:sm_80,seed=3,sms=1", "sim:sm_80,seed=4,eager,sms=5",
        "sim:sm_90a,seed=1", "sim:sm_90a,seed=2,eager", "sim:sm_90a,seed=3,sms=1", "sim:sm_90a,seed=4,eager,sms=5",
        "sim:sm_89,seed=5,sms=3"}) {
    const auto device = open_or_skip(name);
    if (!device)
      return;
    int verified = 0;
    for (const NamedProblem& named : covering_list()) {
      const Problem& problem = named.problem;
      if (!is_served(problem, device->arch()))
        continue;
      CAPTURE(name);
      CAPTURE(to_text(problem));
      const KernelFamily& family = family_for(problem, device->arch());
      const Config config = family.default_config(problem, device->arch());
      const Verdict verdict = verifier.verify(problem, runner(load(device, family, problem, config)));
      CHECK_MESSAGE(verdict.passed, verdict.sentence);
      ++verified;
    }
    MESSAGE(name, ": ", verified, " problems verified");
    CHECK(verified > 0);
  }
}
