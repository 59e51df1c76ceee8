// No false alarms: whatever `attentune verify --all` runs on a simulator passes, whatever the order of events. A minute
// or two, so only with --no-skip.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "generator/error.h"
#include "generator/kernel_family.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"
#include "runtime/simulator/device/simulator_device.h"
#include "tools/attentune/covering_list.h"

using namespace attentune;

TEST_CASE("the whole verify list passes with four seeds" * doctest::skip()) {
  const auto executor = make_pool(0);
  Verifier verifier(*executor);
  for (const char* const name :
       {"sim:sm_80,seed=1", "sim:sm_80,seed=2,eager", "sim:sm_80,seed=3,sms=1", "sim:sm_89,seed=4,sms=5"}) {
    const auto device = simulator::open_simulator(name, {});
    try {
      static_cast<void>(device->compiler());
    } catch (const RefusalError& refusal) {
      MESSAGE("skipped: ", refusal.what());
      return;
    }
    int verified = 0;
    for (const NamedProblem& named : covering_list()) {
      const Problem& problem = named.problem;
      if (!is_served(problem, device->arch()))
        continue;
      CAPTURE(std::string(name));
      CAPTURE(to_text(problem));
      const KernelFamily& family = family_for(problem, device->arch());
      const Config config = family.default_config(problem, device->arch());
      const Source source = render(family, problem, config, device->arch(), device->compiler()).source;
      const auto kernel = Kernel::load(device, problem, config, device->compiler().compile(source));
      const Verdict verdict = verifier.verify(problem, runner(kernel));
      CHECK_MESSAGE(verdict.passed, verdict.sentence);
      ++verified;
    }
    MESSAGE(std::string(name), ": ", verified, " problems verified");
    CHECK(verified > 0);
  }
}
