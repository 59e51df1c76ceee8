#include "tools/attentune/verdict.h"

#include <fmt/format.h>

#include <limits>

#include "generator/error.h"
#include "runtime/reference/runner.h"

namespace attentune {

namespace {

// A GPU's context does not outlive a fault in it; a simulator runs the next kernel.
bool is_usable(const Device& device) {
  try {
    device.synchronize();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

Verdict verdict_of(Verifier& verifier, const Problem& problem, const std::shared_ptr<const Kernel>& kernel) {
  try {
    return verifier.verify(problem, runner(kernel));
  } catch (const Error& error) {
    if (error.status() != Status::device_failed)
      throw;
    if (!is_usable(kernel->device())) {
      throw Error(Status::device_failed, fmt::format("{} with config '{}' stopped the device: {}", to_text(problem),
                                                     to_text(kernel->config()), error.what()));
    }
    return {.passed = false, .worst_ratio = std::numeric_limits<double>::infinity(), .sentence = error.what()};
  }
}

}  // namespace attentune
