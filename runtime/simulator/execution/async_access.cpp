#include "runtime/simulator/execution/async_access.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/cluster.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/race_check.h"

namespace attentune::simulator {

namespace {

const char* verb(const AsyncAccess& access) noexcept {
  return is_read(access.kind) ? "reads" : access.kind == AccessKind::write ? "writes" : "updates";
}

// The bytes of one granule in a range that ends at `end`.
ByteMask bytes_of(std::size_t begin, std::size_t end) noexcept {
  const std::size_t first = begin % granule_bytes;
  const std::size_t count = std::min<std::size_t>(granule_bytes - first, end - begin);
  return static_cast<ByteMask>(((1U << count) - 1U) << first);
}

template <class Action>
void for_each_granule(std::size_t offset, std::size_t bytes, Action&& action) {
  const std::size_t end = offset + bytes;
  while (offset < end) {
    action(offset / granule_bytes, bytes_of(offset, end));
    offset = (offset / granule_bytes + 1) * granule_bytes;
  }
}

void record(Warp& warp, Shadow& shadow, std::size_t granule, ByteMask mask, const AsyncAccess& access,
            std::string_view memory) {
  const Access one{.epoch = access.epoch,
                   .step = static_cast<std::int32_t>(warp.step_index()),
                   .bytes = mask,
                   .kind = access.kind,
                   .asynchronous = true};
  const auto earlier = shadow.record(granule, one, warp.clock);
  if (!earlier) [[likely]]
    return;
  const auto byte = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(earlier->bytes & mask)));
  warp.fail(
      FaultKind::race, access.lanes,
      fmt::format("{} {} byte {} of {} that was {}, and {}", access.what, verb(access), granule * granule_bytes + byte,
                  memory, describe_access(warp, *earlier), advice(warp, *earlier)));
}

// Checks granules of one shared memory, one after the other.
class SharedCheck {
 public:
  SharedCheck(Warp& warp, Shadow& shadow, const AsyncAccess& access) : warp_(warp), shadow_(shadow), access_(access) {}

  void operator()(std::size_t granule, ByteMask mask) {
    shadow_.for_each(granule, [&](const Access& earlier) {
      // What races is left to record(): that says more than a missing fence.
      if (is_read(earlier.kind) || (earlier.bytes & mask) == 0 || earlier.epoch == last_ ||
          !warp_.clock.knows(earlier.epoch))
        return;
      check_proxy(warp_, earlier, access_, granule * granule_bytes);
      last_ = earlier.epoch;
      if (access_.sources == nullptr)
        return;
      std::vector<Access>& sources = *access_.sources;
      if (std::ranges::find(sources, earlier.epoch, &Access::epoch) == sources.end())
        sources.push_back(earlier);
    });
    record(warp_, shadow_, granule, mask, access_, "shared memory");
  }

 private:
  Warp& warp_;
  Shadow& shadow_;
  const AsyncAccess& access_;
  Epoch last_;  // neighbours were mostly written together
};

}  // namespace

bool known_to_async_proxy(const Warp& warp, Epoch generic) {
  const Timelines& timelines = warp.launch().timelines;
  const std::uint32_t local = generic.timeline % timelines.count();
  return warp.clock.knows({.timeline = generic.timeline - local + timelines.twin(local), .time = generic.time});
}

void check_proxy(Warp& warp, const Access& earlier, const AsyncAccess& access, std::size_t offset) {
  const Timelines& timelines = warp.launch().timelines;
  if (earlier.epoch.timeline % timelines.count() >= timelines.generic() || known_to_async_proxy(warp, earlier.epoch))
      [[likely]]
    return;
  warp.fail(FaultKind::race, access.lanes,
            fmt::format("{} {} byte {} of shared memory that was {} in the generic proxy, and no fence.proxy.async "
                        "stands between",
                        access.what, verb(access), offset, describe_access(warp, earlier)));
}

void check_shared_range(Warp& warp, Block& owner, std::size_t offset, std::size_t bytes, const AsyncAccess& access) {
  if (owner.shared.shadow.empty())
    return;
  SharedCheck check(warp, owner.shared.shadow, access);
  for_each_granule(offset, bytes, check);
}

void check_shared_granules(Warp& warp, std::span<const std::uint32_t> granules, const AsyncAccess& access) {
  Shadow& shadow = warp.block().shared.shadow;
  if (shadow.empty())
    return;
  SharedCheck check(warp, shadow, access);
  for (const std::uint32_t granule : granules)
    check(granule, 0xFFFF);
}

std::byte* locate_global_range(Warp& warp, std::uint64_t address, std::size_t bytes, const AsyncAccess& access) {
  Launch& launch = warp.launch();
  Buffer* buffer = launch.global.find(address, bytes);
  if (buffer == nullptr)
    warp.fail(FaultKind::out_of_bounds, access.lanes,
              fmt::format("{} {} {} bytes of global memory {}", access.what, verb(access), bytes,
                          launch.global.describe_miss(address, bytes)));
  Traffic& traffic = launch.bytes[static_cast<std::size_t>(Space::global)];
  const std::uint64_t first = address - (buffer->begin & ~std::uint64_t{granule_bytes - 1});
  if (!buffer->shadow.empty())
    for_each_granule(static_cast<std::size_t>(first), bytes, [&](std::size_t granule, ByteMask mask) {
      record(warp, buffer->shadow, granule, mask, access, buffer->name);
    });
  if (access.kind != AccessKind::write) {
    traffic.read += bytes;
    for (std::size_t i = 0; i < bytes && !buffer->written.empty(); i += 32) {
      const auto offset = static_cast<std::size_t>(address - buffer->begin) + i;
      if (!buffer->written.all(offset, static_cast<std::uint32_t>(std::min<std::size_t>(bytes - i, 32))))
        warp.fail(FaultKind::uninitialized_memory, access.lanes,
                  fmt::format("{} {} {} at bytes {} to {}, which nobody has written", access.what, verb(access),
                              buffer->name, offset, offset + std::min<std::size_t>(bytes - i, 32)));
    }
  }
  if (!is_read(access.kind)) {
    traffic.written += bytes;
    if (buffer->access == BufferAccess::read)
      warp.fail(FaultKind::forbidden_access, access.lanes,
                fmt::format("{} {} {}, which is read-only", access.what, verb(access), buffer->name));
    for (std::size_t i = 0; i < bytes && !buffer->written.empty(); i += 32)
      buffer->written.set(static_cast<std::size_t>(address - buffer->begin) + i,
                          static_cast<std::uint32_t>(std::min<std::size_t>(bytes - i, 32)));
  }
  return std::bit_cast<std::byte*>(address);
}

std::size_t shared_offset(Warp& warp, std::uint64_t address, std::size_t bytes, const AsyncAccess& access) {
  const SharedMemory& shared = warp.block().shared;
  if (!shared.contains(address, bytes))
    warp.fail(FaultKind::out_of_bounds, access.lanes,
              fmt::format("{} {} {} bytes at shared {:#x}, and the block's {} bytes of shared memory are at {:#x} to "
                          "{:#x}",
                          access.what, verb(access), bytes, address, shared.bytes.size(), shared_begin,
                          shared_begin + shared.bytes.size()));
  return static_cast<std::size_t>(address - shared_begin);
}

}  // namespace attentune::simulator
