// What a simulated call takes on one core: forward_mma at seq 512, without and with race checks, in turns.
//
//   bench_simulator
//
// Seconds of processor time of one launch, the kernel compiled and loaded beforehand; medians. Exits 1 over a target.
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "generator/error.h"
#include "generator/forward_mma.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/reference/verify.h"
#include "runtime/rendering.h"
#include "runtime/settings.h"
#include "runtime/simulator/device/simulator_device.h"
#include "tuner/time_stats.h"

namespace {

using namespace attentune;

constexpr double target_s = 1;
constexpr double target_with_races_s = 4;
constexpr int rounds = 3;
constexpr double check_budget_flop = 2e8;

double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::shared_ptr<const Kernel> kernel_on(const std::string& simulator, const Problem& problem) {
  const Settings settings = read_settings();
  const std::shared_ptr<const Device> device =
      simulator::open_simulator(simulator, {.nvrtc = settings.nvrtc.value_or(""), .search_path = settings.search_path});
  const ForwardMma family;
  const Config config = family.default_config(problem, device->arch());
  const Rendering rendering = render(family, problem, config, device->arch(), device->compiler());
  return Kernel::load(device, problem, config, device->compiler().compile(rendering.source));
}

class Call {
 public:
  Call(const std::string& simulator, const Problem& problem)
      : kernel_(kernel_on(simulator, problem)),
        buffers_(problem),
        workspace_(kernel_->workspace_bytes(problem)),
        binding_(kernel_->bind(problem, buffers_.tensors(), workspace_.data(), workspace_.size())) {
    buffers_.fill(1, Values::normal, *executor_);
  }

  void run() {
    buffers_.poison();
    const double begin = process_seconds();
    binding_.launch();
    times_.push_back(process_seconds() - begin);
  }
  // A wrong result would be quick for nothing.
  void check() const {
    const Verdict verdict = check_result(buffers_.problem(), buffers_.tensors(), *executor_, check_budget_flop);
    if (!verdict.passed)
      throw Error(Status::wrong, verdict.sentence);
  }
  [[nodiscard]] double seconds() const { return median(times_); }

 private:
  std::unique_ptr<Executor> executor_ = make_pool(1);
  std::shared_ptr<const Kernel> kernel_;
  CallBuffers buffers_;
  Workspace workspace_;
  Binding binding_;
  std::vector<double> times_;
};

int run() {
  const Problem problem = parse_problem("dtype=bf16 heads=2 head_dim=128 seq=512 mask=causal()");
  Call plain("sim:sm_80,no-races", problem);
  Call with_races("sim:sm_80", problem);
  for (int round = 0; round < rounds; ++round) {
    plain.run();
    with_races.run();
  }
  plain.check();
  with_races.check();
  fmt::print("{}\nno_races_s={:.3f} (target {}), races_s={:.3f} (target {})\n", to_text(problem), plain.seconds(),
             target_s, with_races.seconds(), target_with_races_s);
  return plain.seconds() <= target_s && with_races.seconds() <= target_with_races_s ? 0 : 1;
}

}  // namespace

int main() try { return run(); } catch (const attentune::RefusalError& refusal) {
  fmt::print("skipped: {}\n", refusal.what());  // there is no NVRTC
  return 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_simulator: {}\n", error.what());
  return 1;
}
