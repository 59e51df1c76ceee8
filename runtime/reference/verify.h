// Verification of a kernel (promise 1): the probe set of its class, sampled rows at its shape, the visibility probe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/random_tensors.h"
#include "runtime/tensor.h"

namespace attentune {

// Runs the kernel once at this problem's sizes, with a workspace of its own, and returns when the result stands in
// `tensors.out` (and `tensors.lse`), which lie where the kernel's device has its memory. May throw; the exception
// passes through the Verifier.
using RunKernel = std::function<void(const Problem& problem, const AttentionTensors& tensors)>;

struct Verdict {
  bool passed = true;
  double worst_ratio = 0;  // largest error / allowed over everything that ran; infinity for NaN or broken guards
  double max_error = 0;    // at the shape, over the sampled rows
  std::string sentence;    // "" when passed, else the first thing that is wrong, with its problem and place
};

// Not thread-safe; verdicts stop at the first failure. Keeps references, so many Configs of a class pay for them once:
// the probe set of the last few classes and the buffers and sampled rows of the last shape (DESIGN promise 1).
class Verifier {
 public:
  // The executor serves the reference and the fills; `memory` is that of the device kernels will run on. Both must
  // outlive the Verifier.
  explicit Verifier(Executor& executor, const DeviceMemory& memory = host_memory());
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  // All three parts, cheapest first.
  [[nodiscard]] Verdict verify(const Problem& problem, const RunKernel& run);
  // (a) and (c): what `strict` runs before the first use of a class.
  [[nodiscard]] Verdict verify_class(const Problem& problem, const RunKernel& run);
  // (b): sampled rows at this shape, seeded by the problem's text.
  [[nodiscard]] Verdict verify_shape(const Problem& problem, const RunKernel& run);

  // The filled buffers of the last shape given to verify or verify_shape, made if need be: for timing, so that a tuner
  // does not hold two copies of large operands.
  [[nodiscard]] CallBuffers& buffers(const Problem& problem);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whole-tensor comparison of a finished call against the exact reference, for `run` and `verify`: all rows if they fit
// the budget, else sampled ones. Reads the inputs from `tensors`.
[[nodiscard]] Verdict check_result(const Problem& problem, const AttentionTensors& tensors, Executor& executor,
                                   double budget_flop);

}  // namespace attentune
