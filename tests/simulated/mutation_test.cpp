// Faults written into the text of kernels: each stops the simulated run or fails the verification, and the message says
// which it was. The same tables, for readers, stand in runtime/simulator/README.md. --no-skip runs them in both modes
// of asynchrony.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/config.h"
#include "generator/error.h"
#include "generator/forward_mma.h"
#include "generator/forward_wgmma.h"
#include "generator/kernel_family.h"
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

// The second column of every row of the page's tables whose first is `fault`.
std::vector<std::string> rows_of(std::string_view page, const std::string& fault) {
  const std::string begin = "\n| " + fault + " | ";
  std::vector<std::string> rows;
  for (std::size_t at = page.find(begin); at != std::string_view::npos; at = page.find(begin, at + 1)) {
    const std::string_view rest = page.substr(at + begin.size());
    rows.emplace_back(rest.substr(0, rest.find(" |\n")));
  }
  return rows;
}

Source mutated(const KernelFamily& family, const Mutant& mutant, const Arch& arch) {
  Source source = family.render(parse_problem(mutant.specimen->problem), arch, parse_config(mutant.specimen->config));
  replace_once(source.text, mutant.what, mutant.with);
  if (mutant.and_what != nullptr)
    replace_once(source.text, mutant.and_what, mutant.and_with);
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

// `shows`: with '|' between them.
std::vector<std::string_view> classes_of(std::string_view shows) {
  std::vector<std::string_view> classes;
  for (std::size_t end = shows.find('|'); end != std::string_view::npos; end = shows.find('|')) {
    classes.push_back(shows.substr(0, end));
    shows.remove_prefix(end + 1);
  }
  classes.push_back(shows);
  return classes;
}

bool has_one_of(std::string_view message, std::string_view shows) {
  return std::ranges::any_of(classes_of(shows),
                             [&](std::string_view one) { return message.find(one) != message.npos; });
}

void check(const Mutant& mutant, std::string_view shows, const std::string& message) {
  CAPTURE(message);
  if (shows.empty()) {
    CHECK(message.empty());
    return;
  }
  CHECK(has_one_of(message, shows));
  CHECK(message.find(mutant.says) != std::string::npos);
}

// What the page says a mutant shows begins with its class: a Fault's word, or "verification" and what that complains
// of.
bool begins_with_class(std::string_view row, std::string_view shows) {
  if (shows.empty())
    return row.starts_with("nothing");
  if (row.starts_with("verification, "))
    return has_one_of(row, shows);
  return std::ranges::any_of(classes_of(shows), [&](std::string_view one) { return row.starts_with(one); });
}

void check_all(const KernelFamily& family, const std::string& simulator, const std::vector<Mutant>& mutants) {
  // The longest launch of a sound kernel executes a tenth of it: who does more goes round for ever.
  const std::string limit = ",instructions=20000000";
  const auto lazy = open_or_skip(simulator + ",seed=1" + limit);
  const auto eager = open_or_skip(simulator + ",seed=2,eager" + limit);
  if (!lazy || !eager)
    return;
  const auto executor = make_pool(0);
  Verifier verifier(*executor);
  for (const Mutant& mutant : mutants) {
    CAPTURE(std::string(mutant.fault));
    const Binary binary = lazy->compiler().compile(mutated(family, mutant, lazy->arch()));
    check(mutant, mutant.shows, outcome(mutant, binary, lazy, verifier));
    if (doctest::getContextOptions()->no_skip) {
      const char* const shows = mutant.shows_eager == nullptr ? mutant.shows : mutant.shows_eager;
      check(mutant, shows, outcome(mutant, binary, eager, verifier));
    }
  }
}

}  // namespace

TEST_CASE("every mutant of forward_mma is seen, and its fault named") {
  check_all(ForwardMma(), "sim:sm_80", mutants_of_forward_mma());
}

TEST_CASE("every mutant of forward_wgmma is seen, and its fault named") {
  check_all(ForwardWgmma(), "sim:sm_90a", mutants_of_forward_wgmma());
}

TEST_CASE("the simulator's page shows every mutant, and the class of its fault") {
  const auto tests = std::filesystem::path(ATTENTUNE_TEST_DATA).parent_path().parent_path();
  std::ifstream file(tests.parent_path() / "runtime/simulator/README.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  REQUIRE_FALSE(page.empty());
  for (const auto& mutants : {mutants_of_forward_mma(), mutants_of_forward_wgmma()}) {
    for (const Mutant& mutant : mutants) {
      CAPTURE(std::string(mutant.fault));
      const std::vector<std::string> rows = rows_of(page, mutant.fault);
      REQUIRE(rows.size() == 1);
      CAPTURE(rows.front());
      CHECK(begins_with_class(rows.front(), mutant.shows));
      CHECK(rows.front().find(mutant.says) != std::string::npos);
    }
  }
}
