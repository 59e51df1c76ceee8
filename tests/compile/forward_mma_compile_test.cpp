// Every kernel of forward_mma that is chosen without measuring compiles clean for every Arch; so does a sample that
// shows every pair of its features. --no-skip runs all of the sample (some minutes), else its first few points are
// taken.
#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "generator/forward_mma.h"
#include "generator/kernel_sample.h"
#include "generator/workloads.h"
#include "tests/compile/compile_all.h"

using namespace attentune;

namespace {

const ForwardMma family;

std::vector<Arch> archs() {
  std::set<std::string> names;
  std::vector<Arch> result;
  for (const GpuArch& row : gpu_arch_table()) {
    if (names.insert(std::string(row.target)).second)
      result.push_back(gpu_arch(row.target));
  }
  return result;
}

void check_sample(std::size_t points_an_arch) {
  for (const Arch& arch : archs()) {
    CAPTURE(arch.name);
    std::vector<Compilation> compilations;
    for (const KernelSamplePoint& point : kernel_sample(family, arch, 1, points_an_arch))
      compilations.push_back({.name = to_text(point.problem) + " | " + to_text(point.config),
                              .source = family.render(point.problem, arch, point.config)});
    CHECK(compilations.size() <= points_an_arch);
    if (!compile_all(arch, compilations))
      return;
    for (const Compilation& each : compilations)
      CHECK_MESSAGE(each.complaint.empty(), each.name, ": ", each.complaint);
  }
}

}  // namespace

TEST_CASE("the default kernel of every workload compiles without spills for every Arch") {
  for (const Arch& arch : archs()) {
    CAPTURE(arch.name);
    std::vector<Compilation> compilations;
    std::set<std::string> texts;
    for (const Workload& row : workloads()) {
      for (const NamedProblem& named : workload_problems(row.model, std::nullopt, std::nullopt)) {
        if (family.refusal(named.problem, arch))
          continue;
        Source source = family.render(named.problem, arch, family.default_config(named.problem, arch));
        if (texts.insert(source.text).second)
          compilations.push_back({.name = named.name, .source = std::move(source)});
      }
    }
    CHECK(compilations.size() >= 10);
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
