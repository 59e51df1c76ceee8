#include "tests/simulated/simulated.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "generator/error.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"
#include "tests/simulated/covering_runs.h"
#include "tools/attentune/coverage_report.h"
#include "tools/attentune/launch_variants.h"

namespace attentune {
namespace {

constexpr std::uint64_t sample_seed = 1;
constexpr std::size_t whole_sample = 120;
constexpr std::size_t few = 8;

bool is_whole() { return doctest::getContextOptions()->no_skip; }

simulator::Counts counts_of_one_call(const simulator::SimulatorDevice& device, const Kernel& kernel,
                                     const Problem& problem, Executor& executor) {
  CallBuffers buffers(problem);
  buffers.fill(1, Values::normal, executor);
  buffers.poison();
  const Workspace workspace(kernel.workspace_bytes(problem));
  const Binding binding = kernel.bind(problem, buffers.tensors(), workspace.data(), workspace.size());
  const simulator::Counts before = device.total();
  binding.launch();
  simulator::Counts counts = device.total();
  counts.instructions -= before.instructions;
  for (std::size_t c = 0; c < counts.by_category.size(); ++c)
    counts.by_category[c] -= before.by_category[c];
  for (const auto& [opcode, count] : before.by_opcode)
    counts.by_opcode[opcode] -= count;
  for (std::size_t s = 0; s < counts.bytes.size(); ++s) {
    counts.bytes[s].read -= before.bytes[s].read;
    counts.bytes[s].written -= before.bytes[s].written;
  }
  counts.shared_cycles -= before.shared_cycles;
  counts.shared_conflict_cycles -= before.shared_conflict_cycles;
  return counts;
}

CoverageReport coverage_of(const Kernel& kernel, const Source& source) {
  CoverageReport coverage;
  coverage.add(kernel, source);
  return coverage;
}

// The kernel of one point is right, and it is taken through all its code.
void check_point(const KernelFamily& family, const KernelSamplePoint& point,
                 const std::shared_ptr<const simulator::SimulatorDevice>& device, Verifier& verifier,
                 Executor& executor, UnenterableList& unenterable) {
  const auto& [problem, config] = point;
  const Rendering rendering = render(family, problem, config, device->arch(), device->compiler());
  const auto kernel = Kernel::load(device, problem, config, device->compiler().compile(rendering.source));
  const Verdict verdict = verifier.verify_class(problem, runner(kernel));
  CHECK_MESSAGE(verdict.passed, verdict.sentence);
  for (const CoveringRun& run : covering_runs(problem, family.space(problem, device->arch()), config)) {
    CAPTURE(to_text(run.config));
    CAPTURE(to_text(run.problem));
    const Verdict at_shape = verify(run, runner(kernel->with_config(run.config)), verifier, executor);
    CHECK_MESSAGE(at_shape.passed, at_shape.sentence);
    // Only the whole sample goes on: it also asks whether anything that is listed can be entered.
    if (!is_whole() && unenterable.unexplained(coverage_of(*kernel, rendering.source), problem, config).empty())
      break;
  }
  const CoverageReport coverage = coverage_of(*kernel, rendering.source);
  for (const std::string& sentence : unenterable.unexplained(coverage, problem, config))
    FAIL_CHECK(sentence);
  unenterable.add(coverage, problem, config);
}

}  // namespace

std::shared_ptr<const simulator::SimulatorDevice> open_or_skip(const std::string& name) {
  auto device = simulator::open_simulator(name, {});
  try {
    static_cast<void>(device->compiler());
  } catch (const RefusalError& refusal) {
    MESSAGE("skipped: ", std::string(refusal.what()));
    return nullptr;
  }
  return device;
}

std::vector<KernelSamplePoint> sample(const KernelFamily& family, const Arch& arch) {
  std::vector<KernelSamplePoint> points = kernel_sample(family, arch, sample_seed, whole_sample);
  if (!is_whole())
    points.resize(std::min(points.size(), few));
  return points;
}

void check_sample(const KernelFamily& family, const std::vector<std::string>& simulators,
                  const std::vector<Unenterable>& listed) {
  const auto executor = make_pool(0);
  UnenterableList unenterable(listed);
  for (std::size_t first = 0; first < simulators.size(); ++first) {
    const auto device = open_or_skip(simulators[first]);
    if (!device)
      return;
    Verifier verifier(*executor);
    const std::vector<KernelSamplePoint> points = sample(family, device->arch());
    for (std::size_t n = first; n < points.size(); n += simulators.size()) {
      CAPTURE(simulators[first]);
      CAPTURE(to_text(points[n].problem));
      CAPTURE(to_text(points[n].config));
      check_point(family, points[n], device, verifier, *executor, unenterable);
    }
  }
  MESSAGE(unenterable.summary());
  if (is_whole()) {
    for (const std::string& row : unenterable.unneeded())
      FAIL_CHECK("no kernel of the sample needs this row of the list: ", row);
  }
}

std::shared_ptr<const Kernel> load(const std::shared_ptr<const simulator::SimulatorDevice>& device,
                                   const KernelFamily& family, const Problem& problem, const Config& config) {
  const Rendering rendering = render(family, problem, config, device->arch(), device->compiler());
  return Kernel::load(device, problem, config, device->compiler().compile(rendering.source));
}

void check_counts(const KernelFamily& family, const std::string& simulator,
                  const std::function<void(const Problem&, const Config&, const simulator::Counts&)>& check) {
  const auto device = open_or_skip(simulator);
  if (!device)
    return;
  const auto executor = make_pool(0);
  for (const auto& [problem, config] : sample(family, device->arch())) {
    const auto kernel = load(device, family, problem, config);
    for (const Config& launched : launch_variants(family.space(problem, device->arch()), config)) {
      CAPTURE(to_text(problem));
      CAPTURE(to_text(launched));
      check(problem, launched, counts_of_one_call(*device, *kernel->with_config(launched), problem, *executor));
    }
  }
}

void replace_once(std::string& text, const std::string_view what, const std::string_view with) {
  const std::size_t place = text.find(what);
  const bool is_there = place != std::string::npos;
  CHECK_MESSAGE(is_there, std::string(what));
  if (!is_there)
    return;
  CHECK_MESSAGE(text.find(what, place + 1) == std::string::npos, std::string(what));
  text.replace(place, what.size(), with);
}

}  // namespace attentune
