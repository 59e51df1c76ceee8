#include "runtime/cuda/gpu_context.h"

#include <utility>

namespace attentune::cuda {

GpuContext::GpuContext(std::shared_ptr<const Driver> driver, const CuDevice device)
    : driver_(std::move(driver)), device_(device) {
  CuContext current = nullptr;
  CuDevice of_current = -1;
  if (driver_->CtxGetCurrent(&current) == CuResult::success && current != nullptr &&
      driver_->CtxGetDevice(&of_current) == CuResult::success && of_current == device) {
    context_ = current;
    return;
  }
  driver_->check(driver_->DevicePrimaryCtxRetain(&context_, device), "opening the GPU");
  retained_ = true;
}

GpuContext::~GpuContext() {
  if (retained_)
    driver_->DevicePrimaryCtxRelease(device_);
}

GpuContext::Scope::Scope(const GpuContext& context) : driver_(context.driver()) {
  driver_.check(driver_.CtxGetCurrent(&before_), "asking for the current context");
  if (before_ == context.context_)
    return;
  driver_.check(driver_.CtxSetCurrent(context.context_), "making the GPU's context current");
  changed_ = true;
}

GpuContext::Scope::~Scope() {
  if (changed_)
    driver_.CtxSetCurrent(before_);
}

}  // namespace attentune::cuda
