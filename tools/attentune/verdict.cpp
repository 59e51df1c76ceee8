#include "tools/attentune/verdict.h"

#include <limits>

#include "generator/error.h"
#include "runtime/reference/runner.h"

namespace attentune {

Verdict verdict_of(Verifier& verifier, const Problem& problem, const std::shared_ptr<const Kernel>& kernel) {
  try {
    return verifier.verify(problem, runner(kernel));
  } catch (const Error& error) {
    if (error.status() != Status::device_failed)
      throw;
    return {.passed = false, .worst_ratio = std::numeric_limits<double>::infinity(), .sentence = error.what()};
  }
}

}  // namespace attentune
