// GuardedBuffer: memory between two guard regions whose damage can be told, here and on a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/device_memory.h"

namespace attentune {

class GuardedBuffer {
 public:
  static constexpr std::size_t guard_bytes = 256;  // at least, on each side

  GuardedBuffer() = default;
  // data() is a multiple of `alignment` (a power of two), with `least_aligned` of no more than that. With `guard_page`
  // the page behind the end is inaccessible; between the end and that page stand fewer than 2 * alignment bytes.
  // Contents and guards start as 0xFF. Where `memory` is not this process's, the buffer has an image there, guards and
  // all, to and from which bytes go only when asked; `memory` must outlive the buffer. Throws
  // Error(out_of_memory).
  GuardedBuffer(std::size_t bytes, std::size_t alignment, bool least_aligned = false, bool guard_page = false,
                const DeviceMemory& memory = host_memory());
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer& operator=(GuardedBuffer&& other) noexcept;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer();

  [[nodiscard]] void* data() noexcept { return data_; }
  [[nodiscard]] const void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // What a kernel is given: the same byte as data(), as the device sees it, and as aligned.
  [[nodiscard]] void* device_data() const noexcept { return device_data_; }
  // All of it, guards too; or the guards alone, of what nobody should have written. They do nothing where the memory is
  // this process's.
  void upload();
  void download();
  void download_guards();

  // Here and on the device.
  void fill_bytes(std::uint8_t byte);
  // "" when both guards stand, else "NAME, n bytes before its start" or "... behind its end".
  [[nodiscard]] std::string damage(std::string_view name) const;

 private:
  std::uint8_t* mapping_ = nullptr;
  std::size_t mapped_ = 0;    // bytes of the mapping
  std::size_t readable_ = 0;  // without the inaccessible page
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  const DeviceMemory* memory_ = nullptr;  // of the image; null: there is none
  DeviceBuffer image_;
  void* device_data_ = nullptr;
};

}  // namespace attentune
