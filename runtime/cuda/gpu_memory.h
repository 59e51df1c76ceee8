// GpuMemory: global memory of one GPU.
#pragma once

#include <memory>

#include "runtime/cuda/gpu_context.h"
#include "runtime/device_memory.h"

namespace attentune::cuda {

class GpuMemory final : public DeviceMemory {
 public:
  explicit GpuMemory(std::shared_ptr<const GpuContext> context) : context_(std::move(context)) {}

  [[nodiscard]] bool is_own_process() const noexcept override { return false; }
  [[nodiscard]] void* allocate(std::size_t bytes) const override;
  void release(void* memory) const noexcept override;
  void copy_in(void* to, const void* from, std::size_t bytes) const override;
  void copy_out(void* to, const void* from, std::size_t bytes) const override;
  void fill(void* to, std::uint8_t byte, std::size_t bytes) const override;

 private:
  std::shared_ptr<const GpuContext> context_;
};

}  // namespace attentune::cuda
