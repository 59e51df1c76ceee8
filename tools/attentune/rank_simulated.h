// What `attentune tune` does on a simulator, which has no clock: Configs in the order a tune would try them, each
// verified. Nothing is stored, so that no simulator ever has a Winner.
#pragma once

#include <memory>
#include <vector>

#include "generator/workloads.h"
#include "runtime/device.h"
#include "tools/attentune/arguments.h"

namespace attentune {

// Each problem until --budget or --trials is used up, at least one Config. Returns the command's exit code: 0 when
// every Config was right.
[[nodiscard]] int rank_simulated(const std::vector<NamedProblem>& problems, const std::shared_ptr<const Device>& device,
                                 const Arguments& arguments);

}  // namespace attentune
