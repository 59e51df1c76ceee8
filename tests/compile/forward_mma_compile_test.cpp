// Every kernel of forward_mma that is chosen without measuring compiles clean for every Arch; so does a sample that
// shows every pair of its features. --no-skip runs all of the sample (some minutes), else its first few points are
// taken.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "generator/forward_mma.h"
#include "tests/compile/compile_all.h"

using namespace attentune;

namespace {

const ForwardMma family;

void check_sample(std::size_t points_an_arch) {
  for (const Arch& arch : gpu_archs()) {
    CAPTURE(arch.name);
    std::vector<Compilation> compilations = sample_of(family, arch, points_an_arch);
    if (!compile_all(arch, compilations))
      return;
    for (const Compilation& each : compilations)
      CHECK_MESSAGE(each.complaint.empty(), each.name, ": ", each.complaint);
  }
}

}  // namespace

TEST_CASE("the default kernel of every workload compiles without spills for every Arch") {
  for (const Arch& arch : gpu_archs()) {
    CAPTURE(arch.name);
    std::vector<Compilation> compilations = defaults_of(family, arch);
    if (!compile_all(arch, compilations))
      return;
    for (const Compilation& each : compilations) {
      CHECK_MESSAGE(each.complaint.empty(), each.name, ": ", each.complaint);
      CHECK_MESSAGE(each.spill_bytes == 0, each.name, " spills");
    }
  }
}

TEST_CASE("a sample of features compiles clean for every Arch: its first points") { check_sample(6); }

TEST_CASE("a sample of features compiles clean for every Arch: every pair" * doctest::skip()) { check_sample(120); }
