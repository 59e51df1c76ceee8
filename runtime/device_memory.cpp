#include "runtime/device_memory.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "generator/error.h"

namespace attentune {
namespace {

constexpr std::size_t alignment = 256;

class HostMemory final : public DeviceMemory {
 public:
  [[nodiscard]] bool is_own_process() const noexcept override { return true; }
  [[nodiscard]] void* allocate(const std::size_t bytes) const override {
    void* const memory = std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
    if (memory == nullptr) {
      throw Error(Status::out_of_memory, std::to_string(bytes) + " bytes cannot be allocated; use smaller sizes");
    }
    return memory;
  }
  void release(void* const memory) const noexcept override { std::free(memory); }
  void copy_in(void* const to, const void* const from, const std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
  void copy_out(void* const to, const void* const from, const std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
  void fill(void* const to, const std::uint8_t byte, const std::size_t bytes) const override {
    std::memset(to, byte, bytes);
  }
};

}  // namespace

const DeviceMemory& host_memory() noexcept {
  static const HostMemory memory;
  return memory;
}

DeviceBuffer::DeviceBuffer(const DeviceMemory& memory, const std::size_t bytes)
    : memory_(&memory), data_(bytes == 0 ? nullptr : memory.allocate(bytes)), size_(bytes) {}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : memory_(other.memory_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  if (data_ != nullptr) {
    memory_->release(data_);
  }
}

}  // namespace attentune
