// A simulator as a Device: its names, and what it lets a kernel touch.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "generator/error.h"
#include "runtime/kernel.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/simulator/device/simulator_device.h"
#include "tests/simulated/simulated.h"

using namespace attentune;
using namespace attentune::simulator;

namespace {

// A kernel that reads element `read` of q and writes element `write` of out.
Source touching(const std::string& read, const std::string& write) {
  Source source{.language = Language::cuda};
  source.text =
      "struct Args { const float* q; const void* k; const void* v; const float* sink; float* out; char rest[" +
      std::to_string(sizeof(AttentionArgs) - 5 * sizeof(void*)) +
      "]; };\n"
      "extern \"C\" __global__ void touch(const __grid_constant__ Args args) { args.out[" +
      write + "] = args.q[" + read + "]; }\n";
  source.launches = {{.entry = "touch"}};
  return source;
}

// "" when the call passed.
std::string outcome(const Source& source) {
  const auto device = open_simulator("sim:sm_80", {});
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=4 seq=2");
  const auto kernel = Kernel::load(device, problem, Config(), device->compiler().compile(source));
  std::vector<float> q(8, 1.0F), k(8), v(8), out(8);
  AttentionTensors tensors = contiguous(problem);
  tensors.q.data = q.data();
  tensors.k.data = k.data();
  tensors.v.data = v.data();
  tensors.out.data = out.data();
  try {
    kernel->bind(problem, tensors, nullptr, 0).launch();
    return out[7] == 1.0F ? "" : "nothing was written";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a simulator's name says its Arch and its options") {
  const SimulatorName name = parse_simulator_name("sim:sm_90a,seed=7,sms=3,instructions=1000,eager,no-races");
  CHECK(name.arch.name == "sm_90a");
  CHECK(name.options.seed == 7);
  CHECK(name.options.sms == 3);
  CHECK(name.options.most_instructions == 1000);
  CHECK(name.options.asynchrony == Asynchrony::eager);
  CHECK_FALSE(name.options.races);
  CHECK(name.options.strict);
  CHECK(parse_simulator_name("sim:sm_80").options.asynchrony == Asynchrony::lazy);
}

TEST_CASE("a name that no simulator has is refused with what works") {
  for (const char* const wrong : {"sim", "sim:", "sim:sm_35", "sim:sm_80,sms=0", "sim:sm_80,sms=9999",
                                  "sim:sm_80,seed=", "sim:sm_80,seed=1x", "sim:sm_80,lazy=1"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(static_cast<void>(parse_simulator_name(wrong)), RefusalError);
  }
}

TEST_CASE("a simulated kernel may touch its operands and nothing else") {
  if (!open_or_skip("sim:sm_80"))
    return;
  CHECK(outcome(touching("0", "7")).empty());
  CHECK(outcome(touching("8", "7")).find("past the end of q") != std::string::npos);
  CHECK(outcome(touching("0", "8")).find("past the end of out") != std::string::npos);
  CHECK(outcome(touching("-1", "7")).find("q") != std::string::npos);
}
