// Watchdog builds on the simulator: a barrier that never completes ends in a trap that says where, and a sound kernel
// computes what it computes without one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/error.h"
#include "generator/forward_wgmma.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/watchdog.h"
#include "tests/simulated/simulated.h"

using namespace attentune;

namespace {

const ForwardWgmma family;
constexpr const char* problem_text = "dtype=f16 heads=2 head_dim=64 seq=200/300";
constexpr const char* config_text =
    "tile_m=128 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=no turns=yes rescale=late store=threads | splits=1 "
    "order=0";
const CompilerOptions with_watchdog{.watchdog_polls = simulator_watchdog_polls};

// The output, as bytes; throws what the launch throws.
std::vector<std::byte> output_of(const Kernel& kernel, const Problem& problem) {
  const auto executor = make_pool(1);
  CallBuffers buffers(problem);
  buffers.fill(1, Values::normal, *executor);
  buffers.poison();
  const Workspace workspace(kernel.workspace_bytes(problem));
  kernel.bind(problem, buffers.tensors(), workspace.data(), workspace.size()).launch();
  CHECK(buffers.first_nan().empty());
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements_out(problem)) * 2);
  std::memcpy(bytes.data(), buffers.tensors().out.data, bytes.size());
  return bytes;
}

// What stops the kernel in which `what`, which stands there once, is replaced.
std::string end_of(const std::shared_ptr<const simulator::SimulatorDevice>& device, const std::string_view what,
                   const std::string_view with) {
  const Problem problem = parse_problem(problem_text);
  const Config config = parse_config(config_text);
  Source source = family.render(problem, device->arch(), config);
  replace_once(source.text, what, with);
  try {
    static_cast<void>(output_of(*Kernel::load(device, problem, config, device->compiler().compile(source)), problem));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a barrier that never completes ends in the watchdog's trap, which says who waited for what") {
  struct Fault {
    const char* what;
    const char* with;
    const char* says;  // of the waits that are in vain, whichever is given up first
  };
  constexpr Fault faults[]{
      {"      settle(o[0]);\n      memory.v.release();\n      step = next_step();",
       "      settle(o[0]);\n      memory.v.place.advance();\n      step = next_step();", " of V to become "},
      // The consumers wait for K. (The producer too waits, for the Q that they keep.)
      {"    store_step(memory.step(), index, {TileSequence::END, 0});\n    arrive(memory.k.full());",
       "    store_step(memory.step(), index, {TileSequence::END, 0});", " of K to become full"},
      // Who waits for a turn asks nothing; the producer, or a consumer before its turn, does.
      {"    pass_turn(number);\n    memory.q.release();", "    memory.q.release();",
       " waited in vain for stage 0 of Q"},
  };
  const std::string name = "sim:sm_90a,seed=1";
  if (!open_or_skip(name))
    return;
  const auto plain = simulator::open_simulator(name, {});
  const auto watched = simulator::open_simulator(name, with_watchdog);
  for (const Fault& fault : faults) {
    CAPTURE(std::string(fault.says));
    CHECK(end_of(plain, fault.what, fault.with).find("deadlock: ") != std::string::npos);
    const std::string sentence = end_of(watched, fault.what, fault.with);
    CAPTURE(sentence);
    CHECK(sentence.starts_with("the watchdog stopped the kernel: "));
    CHECK(sentence.find(fault.says) != std::string::npos);
    CHECK(sentence.find("the kernel gave up with a trap") != std::string::npos);
  }
}

TEST_CASE("a sound kernel computes the same with a watchdog") {
  const std::string name = "sim:sm_90a,seed=3";
  if (!open_or_skip(name))
    return;
  const auto plain = simulator::open_simulator(name, {});
  const auto watched = simulator::open_simulator(name, with_watchdog);
  std::vector<KernelSamplePoint> points = sample(family, plain->arch());
  points.resize(std::min<std::size_t>(points.size(), 4));
  points.push_back({.problem = parse_problem(problem_text), .config = parse_config(config_text)});
  for (const auto& [problem, config] : points) {
    CAPTURE(to_text(problem));
    CAPTURE(to_text(config));
    CHECK(output_of(*load(watched, family, problem, config), problem) ==
          output_of(*load(plain, family, problem, config), problem));
  }
}
