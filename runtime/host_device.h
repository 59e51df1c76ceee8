// HostDevice: this machine's CPU as a Device, over LLVM and an Executor.
#pragma once

#include <memory>
#include <string>

#include "runtime/device.h"
#include "runtime/executor.h"

namespace attentune {

class HostDevice final : public Device {
 public:
  // An own pool: threads start at the first launch. 0 = one per CPU this process may run on.
  explicit HostDevice(int threads);
  // The caller's executor, which must outlive the device.
  explicit HostDevice(Executor& executor);

  [[nodiscard]] const DeviceIdentity& identity() const noexcept override { return identity_; }
  [[nodiscard]] const Arch& arch() const noexcept override { return arch_; }
  [[nodiscard]] const Compiler& compiler() const override { return *compiler_; }
  [[nodiscard]] std::shared_ptr<const Module> load(const Binary& binary) const override;
  [[nodiscard]] int workers() const noexcept override { return executor_->workers(); }
  void launch(const Module& module, const BoundCall& call, Stream stream) const override;

 private:
  HostDevice(std::unique_ptr<Executor> pool, Executor& executor);

  std::unique_ptr<Executor> pool_;  // null with a caller's executor
  Executor* executor_;
  Arch arch_;
  DeviceIdentity identity_;
  std::shared_ptr<const Compiler> compiler_;
};

}  // namespace attentune
