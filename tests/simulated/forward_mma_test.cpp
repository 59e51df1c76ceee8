// forward_mma on the simulator: right, and doing exactly the work it is predicted to do. --no-skip runs all of the
// sample (some minutes), else its first few points are taken.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "generator/error.h"
#include "generator/forward_mma.h"
#include "generator/forward_mma_counts.h"
#include "generator/forward_mma_sample.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"
#include "runtime/simulator/device/simulator_device.h"

using namespace attentune;

namespace {

const ForwardMma family;
constexpr std::uint64_t sample_seed = 1;
constexpr std::size_t whole_sample = 120;
constexpr std::size_t few = 6;

std::size_t sample_size() { return doctest::getContextOptions()->no_skip ? whole_sample : few; }

// Null, with a message, where there is no NVRTC to compile with.
std::shared_ptr<const simulator::SimulatorDevice> open(const std::string& name) {
  auto device = simulator::open_simulator(name, {});
  try {
    static_cast<void>(device->compiler());
  } catch (const RefusalError& refusal) {
    MESSAGE("skipped: ", refusal.what());
    return nullptr;
  }
  return device;
}

std::shared_ptr<const Kernel> load(const std::shared_ptr<const simulator::SimulatorDevice>& device,
                                   const MmaSamplePoint& point) {
  const Rendering rendering = render(family, point.problem, point.config, device->arch(), device->compiler());
  return Kernel::load(device, point.problem, point.config, device->compiler().compile(rendering.source));
}

simulator::Counts counts_of_one_call(const simulator::SimulatorDevice& device, const Kernel& kernel,
                                     const Problem& problem, Executor& executor) {
  CallBuffers buffers(problem);
  buffers.fill(1, Values::normal, executor);
  buffers.poison();
  const Workspace workspace(kernel.workspace_bytes(problem));
  const Binding binding = kernel.bind(problem, buffers.tensors(), workspace.data(), workspace.size());
  const simulator::Counts before = device.total();
  binding.launch();
  simulator::Counts after = device.total();
  const auto mma = static_cast<std::size_t>(simulator::Category::mma);
  const auto global = static_cast<std::size_t>(simulator::Space::global);
  after.by_category[mma] -= before.by_category[mma];
  after.bytes[global].read -= before.bytes[global].read;
  after.bytes[global].written -= before.bytes[global].written;
  return after;
}

}  // namespace

TEST_CASE("forward_mma is right on the simulator, in every order of events it tries") {
  const auto executor = make_pool(0);
  for (const char* const name :
       {"sim:sm_80,seed=1", "sim:sm_80,seed=2,eager", "sim:sm_80,seed=3,sms=1", "sim:sm_89,seed=4,sms=5"}) {
    const auto device = open(name);
    if (!device)
      return;
    Verifier verifier(*executor);
    std::vector<MmaSamplePoint> points = mma_sample(device->arch(), sample_seed, whole_sample);
    points.resize(std::min(points.size(), sample_size()));
    for (const MmaSamplePoint& point : points) {
      CAPTURE(name);
      CAPTURE(to_text(point.problem));
      CAPTURE(to_text(point.config));
      const Verdict verdict = verifier.verify(point.problem, runner(load(device, point)));
      CHECK_MESSAGE(verdict.passed, verdict.sentence);
    }
  }
}

TEST_CASE("forward_mma executes the matrix instructions and moves the bytes that were predicted") {
  const auto device = open("sim:sm_80,no-races");
  if (!device)
    return;
  const auto executor = make_pool(0);
  std::vector<MmaSamplePoint> points = mma_sample(device->arch(), sample_seed, whole_sample);
  points.resize(std::min(points.size(), sample_size()));
  for (const MmaSamplePoint& point : points) {
    CAPTURE(to_text(point.problem));
    CAPTURE(to_text(point.config));
    const MmaCounts predicted = mma_counts(point.problem, point.config);
    const simulator::Counts counted = counts_of_one_call(*device, *load(device, point), point.problem, *executor);
    const simulator::Traffic& global = counted.of(simulator::Space::global);
    CHECK(static_cast<std::int64_t>(counted.of(simulator::Category::mma)) == predicted.matrix_instructions);
    CHECK(static_cast<std::int64_t>(global.read) == predicted.global_bytes_read);
    CHECK(static_cast<std::int64_t>(global.written) == predicted.global_bytes_written);
  }
}
