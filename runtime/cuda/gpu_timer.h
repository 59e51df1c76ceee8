// Times calls on a GPU between two events, from a graph so that the host's part of a launch is not in the figure.
#pragma once

#include <functional>

#include "runtime/cuda/gpu_context.h"
#include "runtime/device.h"

namespace attentune::cuda {

// Milliseconds of `calls` calls, which must end up on the stream they are given. About 0.1 ms beside the calls.
[[nodiscard]] double time_calls(const GpuContext& context, const std::function<void(Stream)>& call, int calls);

}  // namespace attentune::cuda
