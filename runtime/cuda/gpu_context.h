// GpuContext: the driver context kernels live in, the caller's where he has one, and current only while it is needed.
#pragma once

#include <memory>
#include <string_view>

#include "runtime/cuda/driver.h"

namespace attentune::cuda {

class GpuContext {
 public:
  // The caller's current context if it is on this device, else the device's primary context, retained.
  GpuContext(std::shared_ptr<const Driver> driver, CuDevice device);
  ~GpuContext();
  GpuContext(const GpuContext&) = delete;
  GpuContext& operator=(const GpuContext&) = delete;

  [[nodiscard]] const Driver& driver() const noexcept { return *driver_; }

  // While one lives the context is current on this thread; then the caller's is again.
  class Scope {
   public:
    explicit Scope(const GpuContext& context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const Driver& driver_;
    CuContext before_ = nullptr;
    bool changed_ = false;
  };

 private:
  std::shared_ptr<const Driver> driver_;
  CuDevice device_;
  CuContext context_ = nullptr;
  bool retained_ = false;
};

}  // namespace attentune::cuda
