#include "runtime/reference/guarded_buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "generator/error.h"

namespace attentune {
namespace {

constexpr std::uint8_t pattern = 0xFF;  // NaN in every dtype, should somebody read it

std::size_t round_up(std::size_t value, std::size_t step) noexcept { return (value + step - 1) / step * step; }

std::size_t count_damaged(const std::uint8_t* first, const std::uint8_t* last) noexcept {
  std::size_t damaged = 0;
  for (; first != last; ++first)
    damaged += *first != pattern ? 1U : 0U;
  return damaged;
}

}  // namespace

GuardedBuffer::GuardedBuffer(std::size_t bytes, std::size_t alignment, bool least_aligned, bool guard_page,
                             const DeviceMemory& memory)
    : size_(bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t offset = least_aligned ? alignment : 0;  // past a multiple of 2 * alignment
  const std::size_t behind = guard_page ? 0 : guard_bytes;
  const std::size_t room = guard_bytes + 2 * alignment + 64 + bytes + behind;
  readable_ = round_up(room, page);
  mapped_ = readable_ + (guard_page ? page : 0);
  void* const mapping = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    throw Error(Status::out_of_memory, fmt::format("a buffer of {} bytes cannot be allocated; use a smaller batch, "
                                                   "fewer heads or a shorter sequence",
                                                   bytes));
  }
  mapping_ = static_cast<std::uint8_t*>(mapping);
  if (guard_page) {
    mprotect(mapping_ + readable_, page, PROT_NONE);
    // As near to the page as the alignment lets it.
    data_ = mapping_ + (readable_ - bytes) / alignment * alignment;
    if (least_aligned && (static_cast<std::size_t>(data_ - mapping_) & alignment) == 0)
      data_ -= alignment;
  } else {
    data_ = mapping_ + round_up(guard_bytes, std::max<std::size_t>(2 * alignment, 64)) + offset;
  }
  std::memset(mapping_, pattern, readable_);
  device_data_ = data_;
  if (memory.is_own_process())
    return;
  memory_ = &memory;
  image_ = DeviceBuffer(memory, readable_);
  device_data_ = static_cast<std::uint8_t*>(image_.data()) + (data_ - mapping_);
  memory.fill(image_.data(), pattern, readable_);
}

void GuardedBuffer::upload() {
  if (memory_ != nullptr)
    memory_->copy_in(image_.data(), mapping_, readable_);
}

void GuardedBuffer::download() {
  if (memory_ != nullptr)
    memory_->copy_out(mapping_, image_.data(), readable_);
}

void GuardedBuffer::download_guards() {
  if (memory_ == nullptr)
    return;
  const auto before = static_cast<std::size_t>(data_ - mapping_);
  auto* const image = static_cast<std::uint8_t*>(image_.data());
  memory_->copy_out(mapping_, image, before);
  memory_->copy_out(data_ + size_, image + before + size_, readable_ - before - size_);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      readable_(std::exchange(other.readable_, 0)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      memory_(other.memory_),
      image_(std::move(other.image_)),
      device_data_(other.device_data_) {}

GuardedBuffer& GuardedBuffer::operator=(GuardedBuffer&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(readable_, other.readable_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(memory_, other.memory_);
  std::swap(image_, other.image_);
  std::swap(device_data_, other.device_data_);
  return *this;
}

GuardedBuffer::~GuardedBuffer() {
  if (mapping_ != nullptr)
    munmap(mapping_, mapped_);
}

void GuardedBuffer::fill_bytes(std::uint8_t byte) {
  if (size_ == 0)
    return;
  std::memset(data_, byte, size_);
  if (memory_ != nullptr)
    memory_->fill(device_data_, byte, size_);
}

std::string GuardedBuffer::damage(std::string_view name) const {
  if (mapping_ == nullptr)
    return "";
  if (const std::size_t before = count_damaged(mapping_, data_); before != 0) {
    return fmt::format("{}, {} bytes before its start", name, before);
  }
  if (const std::size_t behind = count_damaged(data_ + size_, mapping_ + readable_); behind != 0) {
    return fmt::format("{}, {} bytes behind its end", name, behind);
  }
  return "";
}

}  // namespace attentune
