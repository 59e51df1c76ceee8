// GpuWatchdog: where kernels of watchdog builds report (runtime/watchdog.h). Host memory, which a trap leaves as it is.
#pragma once

#include <memory>
#include <string>

#include "runtime/cuda/gpu_context.h"

namespace attentune::cuda {

class GpuWatchdog {
 public:
  // Throws Error(out_of_memory), Error(device_failed).
  explicit GpuWatchdog(std::shared_ptr<const GpuContext> context);
  ~GpuWatchdog();
  GpuWatchdog(const GpuWatchdog&) = delete;
  GpuWatchdog& operator=(const GpuWatchdog&) = delete;

  // AttentionArgs::watchdog_report; the same address on the GPU ("Unified Addressing", CUDA Driver API).
  [[nodiscard]] unsigned long long* report() const noexcept { return report_; }
  // What a kernel reported; "" while none has.
  [[nodiscard]] std::string sentence() const;

 private:
  std::shared_ptr<const GpuContext> context_;
  unsigned long long* report_ = nullptr;
};

}  // namespace attentune::cuda
