// Kernels of forward_wgmma as ptxas takes them: every default of the workloads, and a sample that shows every pair of
// features, keep setmaxnreg and asynchronous wgmma (codes C7504 to C7520 are warnings) and registers. --no-skip runs
// all of the sample (some minutes), else its first few points are taken.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "generator/forward_wgmma.h"
#include "runtime/watchdog.h"
#include "tests/compile/compile_all.h"

using namespace attentune;

namespace {

const ForwardWgmma family;
const Arch hopper = gpu_arch("sm_90a");

void check_clean(std::vector<Compilation>& compilations, int spill_bytes, const CompilerOptions& options = {}) {
  if (!compile_all(hopper, compilations, options))
    return;
  for (const Compilation& each : compilations) {
    CHECK_MESSAGE(each.complaint.empty(), each.name, ": ", each.complaint);
    CHECK_MESSAGE(each.spill_bytes <= spill_bytes, each.name, " spills");
  }
}

void check_sample(std::size_t points) {
  std::vector<Compilation> compilations = sample_of(family, hopper, points);
  CHECK(compilations.size() >= 6);
  // Masks of many terms may spill a little, beside the way of tiles without mask code.
  check_clean(compilations, 32);
}

}  // namespace

TEST_CASE("forward_wgmma's default of every workload compiles clean") {
  std::vector<Compilation> compilations = defaults_of(family, hopper);
  check_clean(compilations, 0);
}

TEST_CASE("forward_wgmma's default of every usual head dim compiles clean, with a watchdog too") {
  std::vector<Compilation> compilations;
  for (const char* const head_dim : {"64", "80", "96", "128", "192/128", "256"}) {
    const Problem p = parse_problem(std::string("dtype=f16 heads=16 seq=8192 mask=causal() head_dim=") + head_dim);
    compilations.push_back({.name = to_text(p), .source = family.render(p, hopper, family.default_config(p, hopper))});
  }
  check_clean(compilations, 0);
  // What a wait reports as it gives up is kept somewhere, beside the way of waits that end.
  check_clean(compilations, 80, {.watchdog_polls = gpu_watchdog_polls});
}

TEST_CASE("a sample of forward_wgmma's features compiles clean: its first points") { check_sample(6); }

TEST_CASE("a sample of forward_wgmma's features compiles clean: every pair" * doctest::skip()) { check_sample(120); }
