// Faults written into forward_mma's text: each stops the simulated run or fails the verification, and the message says
// which it was. The same table, for readers, stands in runtime/simulator/README.md. --no-skip runs it in both modes of
// asynchrony.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "generator/config.h"
#include "generator/error.h"
#include "generator/forward_mma.h"
#include "generator/problem.h"
#include "generator/source.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/simulator/device/simulator_device.h"
#include "tests/simulated/mutants.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

using simulator::SimulatorDevice;

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

Source mutated(const Mutant& mutant, const Arch& arch) {
  Source source =
      ForwardMma().render(parse_problem(mutant.specimen->problem), arch, parse_config(mutant.specimen->config));
  const std::string_view what = mutant.what;
  // Templates change: a fault that no longer finds its place must be written anew.
  const std::size_t places = occurrences(source.text, what);
  CHECK(places == 1);
  if (places > 0)
    source.text.replace(source.text.find(what), what.size(), mutant.with);
  return source;
}

// "" when everything passes, else what stopped the run or failed the verification.
std::string outcome(const Mutant& mutant, const Binary& binary, const std::shared_ptr<const SimulatorDevice>& device,
                    Verifier& verifier) {
  const Problem problem = parse_problem(mutant.specimen->problem);
  try {
    const auto kernel = Kernel::load(device, problem, parse_config(mutant.specimen->config), binary);
    return verifier.verify(problem, runner(kernel)).sentence;
  } catch (const Error& error) {
    return error.what();
  }
}

void check(const Mutant& mutant, std::string_view shows, const std::string& message) {
  CAPTURE(message);
  if (shows.empty()) {
    CHECK(message.empty());
    return;
  }
  CHECK(message.find(shows) != std::string::npos);
  CHECK(message.find(mutant.says) != std::string::npos);
}

}  // namespace

TEST_CASE("every mutant of forward_mma is seen, and its fault named") {
  const auto lazy = open_or_skip("sim:sm_80,seed=1");
  const auto eager = open_or_skip("sim:sm_80,seed=2,eager");
  if (!lazy || !eager)
    return;
  const auto executor = make_pool(0);
  Verifier verifier(*executor);
  for (const Mutant& mutant : mutants()) {
    CAPTURE(std::string(mutant.fault));
    const Binary binary = lazy->compiler().compile(mutated(mutant, lazy->arch()));
    check(mutant, mutant.shows, outcome(mutant, binary, lazy, verifier));
    if (doctest::getContextOptions()->no_skip) {
      const char* const shows = mutant.shows_eager == nullptr ? mutant.shows : mutant.shows_eager;
      check(mutant, shows, outcome(mutant, binary, eager, verifier));
    }
  }
}

TEST_CASE("the simulator's page shows every mutant") {
  const auto tests = std::filesystem::path(ATTENTUNE_TEST_DATA).parent_path().parent_path();
  std::ifstream file(tests.parent_path() / "runtime/simulator/README.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  REQUIRE_FALSE(page.empty());
  for (const Mutant& mutant : mutants()) {
    CAPTURE(std::string(mutant.fault));
    CHECK(occurrences(page, std::string("| ") + mutant.fault + " |") == 1);
  }
}
