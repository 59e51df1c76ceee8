// GpuDevice: an NVIDIA GPU as a Device, over the driver API; NVRTC compiles for it.
#pragma once

#include <memory>
#include <mutex>

#include "runtime/cuda/compiler.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/gpu_context.h"
#include "runtime/cuda/gpu_identity.h"
#include "runtime/cuda/gpu_memory.h"
#include "runtime/cuda/gpu_watchdog.h"
#include "runtime/device.h"

namespace attentune::cuda {

class GpuDevice final : public Device {
 public:
  // Throws RefusalError for an ordinal or a compute capability that is not there, Error(device_failed).
  GpuDevice(const std::shared_ptr<const Driver>& driver, int ordinal, CompilerOptions options);

  [[nodiscard]] const DeviceIdentity& identity() const noexcept override { return gpu_.identity; }
  [[nodiscard]] const Arch& arch() const noexcept override { return gpu_.arch; }
  [[nodiscard]] const Compiler& compiler() const override;
  [[nodiscard]] std::shared_ptr<const Module> load(const Binary& binary) const override;
  [[nodiscard]] int workers() const noexcept override { return gpu_.identity.sms; }
  // One driver call a LaunchRule. The context need not be current.
  void launch(const Module& module, const BoundCall& call, Stream stream) const override;
  void check(const Module& module, const AttentunePreparedCall& call) const override;
  [[nodiscard]] TensorMap encode(const TensorMapShape& shape) const override;
  void synchronize() const override;
  [[nodiscard]] const DeviceMemory& memory() const noexcept override { return memory_; }
  [[nodiscard]] double time_ms(const std::function<void(Stream)>& call, int calls) const override;

 private:
  GpuDevice(std::shared_ptr<const Driver> driver, CuDevice device, GpuFacts gpu, CompilerOptions options);

  std::shared_ptr<const GpuContext> context_;
  GpuFacts gpu_;
  GpuMemory memory_;
  CompilerOptions compiler_options_;
  std::unique_ptr<const GpuWatchdog> watchdog_;  // null where kernels are compiled without one
  mutable std::mutex compiler_mutex_;
  mutable std::shared_ptr<const CudaCompiler> compiler_;  // null until the first call that needs it
};

}  // namespace attentune::cuda
