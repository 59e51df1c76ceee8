#include "runtime/cuda/gpu_watchdog.h"

#include <exception>
#include <utility>

#include "runtime/watchdog.h"

namespace attentune::cuda {

GpuWatchdog::GpuWatchdog(std::shared_ptr<const GpuContext> context) : context_(std::move(context)) {
  const GpuContext::Scope scope(*context_);
  const Driver& driver = context_->driver();
  void* memory = nullptr;
  driver.check(driver.MemHostAlloc(&memory, sizeof *report_, 0), "allocating memory for the watchdog's report");
  report_ = static_cast<unsigned long long*>(memory);
  *report_ = 0;
}

GpuWatchdog::~GpuWatchdog() {
  try {
    const GpuContext::Scope scope(*context_);
    context_->driver().MemFreeHost(report_);
  } catch (const std::exception&) {
    // The context is gone, and the memory with it.
  }
}

std::string GpuWatchdog::sentence() const {
  return watchdog_sentence(*static_cast<const volatile unsigned long long*>(report_));
}

}  // namespace attentune::cuda
