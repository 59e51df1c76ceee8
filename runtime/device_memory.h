// DeviceMemory: what a Device's kernels read and write. On hosts and simulators that is this process's own memory; a
// GPU's is reached by copies only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace attentune {

class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  // May its addresses be dereferenced here? Then nobody needs a copy.
  [[nodiscard]] virtual bool is_own_process() const noexcept = 0;
  // 256-byte aligned, garbage inside. Throws Error(out_of_memory).
  [[nodiscard]] virtual void* allocate(std::size_t bytes) const = 0;
  virtual void release(void* memory) const noexcept = 0;
  // These return when they are done; a launch before them must have ended (Device::synchronize). Any may throw
  // Error(device_failed).
  virtual void copy_in(void* to, const void* from, std::size_t bytes) const = 0;
  virtual void copy_out(void* to, const void* from, std::size_t bytes) const = 0;
  virtual void fill(void* to, std::uint8_t byte, std::size_t bytes) const = 0;
};

// This process's own memory.
[[nodiscard]] const DeviceMemory& host_memory() noexcept;

// An allocation and its owner; null for no bytes. The DeviceMemory must outlive it.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(const DeviceMemory& memory, std::size_t bytes);
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer();

  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const DeviceMemory* memory_ = nullptr;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace attentune
