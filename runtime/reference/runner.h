// A loaded Kernel as verification wants it.
#pragma once

#include <memory>

#include "runtime/kernel.h"
#include "runtime/reference/verify.h"

namespace attentune {

// One call on the kernel's device with a guarded workspace of its own. Besides what a launch throws, it throws
// Error(wrong) when the kernel wrote outside that workspace.
[[nodiscard]] RunKernel runner(std::shared_ptr<const Kernel> kernel);

}  // namespace attentune
