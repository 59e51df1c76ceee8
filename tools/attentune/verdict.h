// Verification where the device may stop the kernel.
#pragma once

#include <memory>

#include "generator/problem.h"
#include "runtime/kernel.h"
#include "runtime/reference/verify.h"

namespace attentune {

// A kernel that the device stopped is as wrong as one that computed something else. Throws Error(device_failed), which
// names problem and Config, when that device runs no other kernel any more.
[[nodiscard]] Verdict verdict_of(Verifier& verifier, const Problem& problem,
                                 const std::shared_ptr<const Kernel>& kernel);

}  // namespace attentune
