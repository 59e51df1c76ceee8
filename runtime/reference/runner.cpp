#include "runtime/reference/runner.h"

#include <string>
#include <utility>

#include "generator/error.h"

namespace attentune {

RunKernel runner(std::shared_ptr<const Kernel> kernel) {
  return [kernel = std::move(kernel)](const Problem& problem, const AttentionTensors& tensors) {
    const Device& device = kernel->device();
    Workspace workspace(kernel->workspace_bytes(problem), device.memory());
    kernel->bind(problem, tensors, workspace.data(), workspace.size()).launch();
    device.synchronize();
    if (const std::string damage = workspace.guard_damage(); !damage.empty()) {
      throw Error(Status::wrong, "it wrote outside its memory: " + damage + " at " + to_text(problem));
    }
  };
}

}  // namespace attentune
