// The buffers of one call: what a simulated kernel may touch.
#pragma once

#include <vector>

#include "generator/launch_rule.h"
#include "runtime/device.h"
#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

// Registers the operands and the slices of the workspace, and takes them away again.
class OperandBuffers {
 public:
  OperandBuffers(Simulator& simulator, const BoundCall& call, const std::vector<LaunchRule>& rules);
  OperandBuffers(const OperandBuffers&) = delete;
  OperandBuffers& operator=(const OperandBuffers&) = delete;
  ~OperandBuffers();

 private:
  void add(std::uintptr_t begin, std::size_t bytes, const std::string& name, BufferAccess access);
  void add_operands(const BoundCall& call);
  void add_workspace(const BoundCall& call, const std::vector<LaunchRule>& rules);

  Simulator& simulator_;
  std::vector<void*> registered_;
};

}  // namespace attentune::simulator
