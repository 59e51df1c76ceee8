// SimulatorDevice: a simulator of a GPU Arch as a Device. Its memory is this process's own; it has no clock.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/device.h"
#include "runtime/simulator/device/ptx_compiler.h"
#include "runtime/simulator/device/simulator_name.h"
#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

class SimulatorDevice final : public Device {
 public:
  SimulatorDevice(SimulatorName name, CompilerOptions options);

  [[nodiscard]] const DeviceIdentity& identity() const noexcept override { return identity_; }
  [[nodiscard]] const Arch& arch() const noexcept override { return name_.arch; }
  [[nodiscard]] const Compiler& compiler() const override;
  [[nodiscard]] std::shared_ptr<const Module> load(const Binary& binary) const override;
  [[nodiscard]] int workers() const noexcept override { return name_.options.sms; }
  // Kernels may touch the operands' extents and the call's workspace, nothing else. A Fault is thrown as
  // Error(device_failed).
  void launch(const Module& module, const BoundCall& call, Stream stream) const override;
  [[nodiscard]] TensorMap encode(const TensorMapShape& shape) const override;
  [[nodiscard]] bool can_time() const noexcept override { return false; }
  [[nodiscard]] std::string counts() const override;

  // What all launches so far did together.
  [[nodiscard]] Counts total() const;
  // The basic blocks of a loaded kernel that no launch of it entered, with the name of their entry.
  [[nodiscard]] static std::vector<std::pair<std::string, Coverage>> coverage(const Module& module);

 private:
  SimulatorName name_;
  DeviceIdentity identity_;
  CompilerOptions compiler_options_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<PtxCompiler> compiler_;  // null until the first call that needs it
  mutable Counts total_;
};

// "sim:sm_80": the device of that name (simulator_name.h).
[[nodiscard]] std::shared_ptr<const SimulatorDevice> open_simulator(std::string_view name,
                                                                    const CompilerOptions& options);

}  // namespace attentune::simulator
