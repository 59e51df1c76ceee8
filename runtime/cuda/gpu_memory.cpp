#include "runtime/cuda/gpu_memory.h"

#include <fmt/format.h>

#include <exception>

namespace attentune::cuda {
namespace {

CuDevicePtr device_pointer(const void* const memory) { return reinterpret_cast<std::uintptr_t>(memory); }

}  // namespace

void* GpuMemory::allocate(const std::size_t bytes) const {
  const GpuContext::Scope scope(*context_);
  CuDevicePtr memory = 0;
  const Driver& driver = context_->driver();
  driver.check(driver.MemAlloc(&memory, bytes), fmt::format("allocating {} bytes on the GPU", bytes));
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the driver's addresses are numbers
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(memory));
}

void GpuMemory::release(void* const memory) const noexcept {
  try {
    const GpuContext::Scope scope(*context_);
    context_->driver().MemFree(device_pointer(memory));
  } catch (const std::exception&) {
    // The context is gone, and the memory with it.
  }
}

void GpuMemory::copy_in(void* const to, const void* const from, const std::size_t bytes) const {
  const GpuContext::Scope scope(*context_);
  const Driver& driver = context_->driver();
  driver.check(driver.MemcpyHtoD(device_pointer(to), from, bytes), "copying to the GPU");
}

void GpuMemory::copy_out(void* const to, const void* const from, const std::size_t bytes) const {
  const GpuContext::Scope scope(*context_);
  const Driver& driver = context_->driver();
  driver.check(driver.MemcpyDtoH(to, device_pointer(from), bytes), "copying from the GPU");
}

void GpuMemory::fill(void* const to, const std::uint8_t byte, const std::size_t bytes) const {
  const GpuContext::Scope scope(*context_);
  const Driver& driver = context_->driver();
  driver.check(driver.MemsetD8(device_pointer(to), byte, bytes), "filling GPU memory");
  // The driver may return before the last byte stands.
  driver.check(driver.CtxSynchronize(), "filling GPU memory");
}

}  // namespace attentune::cuda
