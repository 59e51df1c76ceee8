// What the tests of simulated kernels share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/kernel_sample.h"
#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/kernel.h"
#include "runtime/simulator/counts.h"
#include "runtime/simulator/device/simulator_device.h"
#include "tests/simulated/unenterable.h"

namespace attentune {

// The simulator of that name; null, with a message, where there is no NVRTC to compile with.
[[nodiscard]] std::shared_ptr<const simulator::SimulatorDevice> open_or_skip(const std::string& name);

// The family's sample of features for the Arch: all of it with --no-skip (some minutes), else its first few points.
[[nodiscard]] std::vector<KernelSamplePoint> sample(const KernelFamily& family, const Arch& arch);

// Verifies the sample, spread over the simulators of these names: each point on one of them, in turn. Whatever the
// order of events, the kernel is right. Each basic block of its PTX is entered, or lies behind a way that is listed as
// unenterable; with --no-skip, all that is listed must be needed.
void check_sample(const KernelFamily& family, const std::vector<std::string>& simulators,
                  const std::vector<Unenterable>& listed);

[[nodiscard]] std::shared_ptr<const Kernel> load(const std::shared_ptr<const simulator::SimulatorDevice>& device,
                                                 const KernelFamily& family, const Problem& problem,
                                                 const Config& config);

// Gives `check` what one call of every point of the sample counts on that simulator, of those counts that can be taken
// apart: categories, opcodes, bytes and cycles.
void check_counts(const KernelFamily& family, const std::string& simulator,
                  const std::function<void(const Problem&, const Config&, const simulator::Counts&)>& check);

// Templates change: `what` must stand in the text exactly once, or the fault that is to be written there is no more.
void replace_once(std::string& text, std::string_view what, std::string_view with);

}  // namespace attentune
