#include "runtime/simulator/memory/global_memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "generator/error.h"

namespace attentune::simulator {

namespace {

// A quiet NaN in every 16- and 32-bit format, and an index far outside of everything.
constexpr int poison = 0x7F;

std::uint64_t number(const void* pointer) noexcept { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

void GlobalMemory::add(void* pointer, std::size_t bytes, const std::string& name, BufferAccess access) {
  const std::uint64_t begin = number(pointer);
  const auto after = std::ranges::upper_bound(buffers_, begin, {}, &Buffer::begin);
  const bool overlaps_next = after != buffers_.end() && bytes > after->begin - begin;
  const bool overlaps_last = after != buffers_.begin() && std::prev(after)->begin + std::prev(after)->bytes > begin;
  if (overlaps_next || overlaps_last) {
    throw RefusalError({.field = "buffer",
                        .value = name,
                        .limit = fmt::format("it overlaps {}", (overlaps_next ? after : std::prev(after))->name),
                        .remedy = "register each byte once"});
  }
  Buffer buffer{.begin = begin, .bytes = bytes, .name = name, .access = access};
  if (access == BufferAccess::scratch) {
    buffer.written = ByteBits(bytes);
    std::memset(pointer, poison, bytes);
  }
  buffers_.insert(after, std::move(buffer));
}

void GlobalMemory::remove(const void* pointer) {
  std::erase_if(buffers_, [&](const Buffer& buffer) { return buffer.begin == number(pointer); });
}

Buffer* GlobalMemory::find(std::uint64_t address, std::uint64_t count) noexcept {
  const auto after = std::ranges::upper_bound(buffers_, address, {}, &Buffer::begin);
  if (after == buffers_.begin() || !std::prev(after)->contains(address, count))
    return nullptr;
  return &*std::prev(after);
}

std::string GlobalMemory::describe_miss(std::uint64_t address, std::uint64_t count) const {
  const Buffer* nearest = nullptr;
  std::uint64_t distance = ~std::uint64_t{0};
  bool before = false;
  for (const Buffer& buffer : buffers_) {
    const bool is_before = address < buffer.begin;
    const std::uint64_t end = buffer.begin + buffer.bytes;
    const std::uint64_t away = is_before ? buffer.begin - address : address + count - end;
    if (away < distance) {
      nearest = &buffer;
      distance = away;
      before = is_before;
    }
  }
  if (nearest == nullptr)
    return fmt::format("address {:#x}, and no buffer is registered", address);
  // Beyond a mebibyte the nearest buffer explains nothing.
  if (distance > (1U << 20))
    return fmt::format("address {:#x}, near no registered buffer", address);
  return fmt::format("{} bytes {} {} ({} bytes)", distance, before ? "before the begin of" : "past the end of",
                     nearest->name, nearest->bytes);
}

void GlobalMemory::begin_launch(bool races) {
  for (Buffer& buffer : buffers_) {
    const bool shadowed = races && buffer.access != BufferAccess::read;
    // One granule more: a buffer need not begin at the begin of one.
    buffer.shadow = shadowed ? Shadow(buffer.bytes + granule_bytes) : Shadow();
  }
}

}  // namespace attentune::simulator
