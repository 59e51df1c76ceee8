#include "runtime/simulator/execution/race_check.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"

namespace attentune::simulator {

namespace {

const char* past(AccessKind kind) noexcept {
  switch (kind) {
    case AccessKind::read:
    case AccessKind::strong_read:
      return "read";
    case AccessKind::write:
      return "written";
    case AccessKind::atomic:
      break;
  }
  return "updated";
}

std::string who(const Warp& warp, const Access& access) {
  const Launch& launch = warp.launch();
  const Timelines& timelines = launch.timelines;
  const std::uint32_t block = access.epoch.timeline / timelines.count();
  const std::uint32_t local = access.epoch.timeline % timelines.count();
  std::string text = [&] {
    switch (timelines.kind(local)) {
      case Timelines::Kind::copies:
        return fmt::format("a cp.async of warp {}", local - timelines.copies(0));
      case Timelines::Kind::products:
        return fmt::format("a wgmma of warpgroup {}", local - timelines.products(0));
      case Timelines::Kind::bulk_reads:
        return fmt::format("a bulk copy of warp {}", local - timelines.bulk_reads(0));
      case Timelines::Kind::bulk_writes:
        return fmt::format("a bulk copy of warp {}", local - timelines.bulk_writes(0));
      case Timelines::Kind::mbarrier:
        return std::string("a bulk copy");
      case Timelines::Kind::warp:
      case Timelines::Kind::twin:
        break;
    }
    return fmt::format("warp {}", local);
  }();
  if (block != warp.block().index())
    text += fmt::format(" of block {}", block);
  const auto step = static_cast<std::size_t>(access.step);
  text += fmt::format(" (PTX line {}", launch.kernel.lines[step]);
  const std::string source = launch.kernel.source_of(step);
  return text + (source.empty() ? ")" : ", " + source + ")");
}

}  // namespace

std::string describe_access(const Warp& warp, const Access& access) {
  return fmt::format("{} by {}", past(access.kind), who(warp, access));
}

std::string_view advice(const Warp& warp, const Access& earlier) {
  if (!earlier.asynchronous)
    return "nothing orders one before the other";
  const Timelines& timelines = warp.launch().timelines;
  return timelines.kind(earlier.epoch.timeline % timelines.count()) == Timelines::Kind::products
             ? "nothing waited for that operation and passed the news on"
             : "nothing waited for that copy and passed the news on";
}

namespace {

[[noreturn]] void report(const Warp& warp, const Access& earlier, const Touch& touch, std::uint64_t offset, Mask lanes,
                         std::string_view memory) {
  const char* verb = is_read(touch.kind) ? "reads" : touch.kind == AccessKind::write ? "writes" : "updates";
  warp.fail(FaultKind::race, lanes,
            fmt::format("{}{} byte {} of {} that was {}, and {}", touch.asynchronous ? "a cp.async " : "", verb, offset,
                        memory, describe_access(warp, earlier), advice(warp, earlier)));
}

// Those of `bytes` of granule `index` that hold already what the lanes of `group` store there.
ByteMask equal_bytes(const Addresses& offsets, Mask group, const Touch& touch, std::uint64_t granule,
                     const std::byte* held) {
  unsigned equal = (1U << granule_bytes) - 1;
  for_each_lane(group, [&](int lane) {
    const std::uint64_t offset = offsets[static_cast<std::size_t>(lane)];
    const auto& bytes = (*touch.stored)[static_cast<std::size_t>(lane)];
    for (std::uint32_t i = 0; i < touch.bytes; ++i) {
      if ((offset + i) / granule_bytes == granule && held[offset + i] != bytes[i])
        equal &= ~(1U << (offset + i) % granule_bytes);
    }
  });
  return static_cast<ByteMask>(equal);
}

// Whether the lanes of `group` whose bytes overlap those of `lane` store the same there.
bool store_the_same(const Addresses& offsets, Mask group, int lane, const Touch& touch) {
  const std::uint64_t offset = offsets[static_cast<std::size_t>(lane)];
  bool same = true;
  for_each_lane(group, [&](int other) {
    // Both are aligned to their size: they overlap as a whole or not at all.
    if (offsets[static_cast<std::size_t>(other)] == offset)
      same = same && std::equal((*touch.stored)[static_cast<std::size_t>(lane)].begin(),
                                (*touch.stored)[static_cast<std::size_t>(lane)].begin() + touch.bytes,
                                (*touch.stored)[static_cast<std::size_t>(other)].begin());
  });
  return same;
}

}  // namespace

void check_races(Warp& warp, Shadow& shadow, const Addresses& offsets, Mask lanes, const Touch& touch,
                 std::string_view memory, const std::byte* held) {
  const bool may_equal = touch.stored != nullptr && !warp.launch().options.strict;
  Access access{.epoch = touch.asynchronous ? warp.copy_epoch() : warp.now(),
                .step = static_cast<std::int32_t>(warp.step_index()),
                .kind = touch.kind,
                .asynchronous = touch.asynchronous};
  // Neighbouring lanes mostly share a granule: their bytes are recorded together.
  std::uint64_t granule = ~std::uint64_t{0};
  Mask group = 0;
  const auto flush = [&] {
    if (access.bytes == 0)
      return;
    auto earlier = shadow.record(static_cast<std::size_t>(granule), access, warp.clock);
    if (earlier && may_equal && held != nullptr) [[unlikely]]
      earlier = shadow.record(static_cast<std::size_t>(granule), access, warp.clock,
                              equal_bytes(offsets, group, touch, granule, held));
    if (earlier) [[unlikely]] {
      const int byte = std::countr_zero(static_cast<unsigned>(earlier->bytes & access.bytes));
      report(warp, *earlier, touch, granule * granule_bytes + static_cast<std::uint64_t>(byte), group, memory);
    }
  };
  for_each_lane(lanes, [&](int lane) {
    std::uint64_t offset = offsets[static_cast<std::size_t>(lane)];
    for (std::uint32_t left = touch.bytes; left > 0;) {
      const auto begin = static_cast<std::uint32_t>(offset % granule_bytes);
      const std::uint32_t count = std::min(left, granule_bytes - begin);
      const auto mask = static_cast<ByteMask>(((1U << count) - 1U) << begin);
      if (offset / granule_bytes != granule) {
        flush();
        granule = offset / granule_bytes;
        access.bytes = 0;
        group = 0;
      }
      if (touch.kind == AccessKind::write && (access.bytes & mask) != 0 &&
          !(may_equal && store_the_same(offsets, lanes & (lane_bit(lane) - 1), lane, touch))) [[unlikely]] {
        warp.fail(FaultKind::race, group | lane_bit(lane),
                  fmt::format("these lanes write byte {} of {} in one instruction", offset, memory));
      }
      access.bytes |= mask;
      group |= lane_bit(lane);
      offset += count;
      left -= count;
    }
  });
  flush();
}

}  // namespace attentune::simulator
