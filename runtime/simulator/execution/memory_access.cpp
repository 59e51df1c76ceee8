// Warp::locate: every check an access to memory has to pass, and where its bytes are.
#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/race_check.h"
#include "runtime/simulator/execution/shared_place.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/memory/bank_conflicts.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

const char* verb(const Touch& touch) noexcept {
  if (touch.kind == AccessKind::atomic)
    return "updates";
  return is_read(touch.kind) ? "reads" : "writes";
}

constexpr std::size_t at(int lane) noexcept { return static_cast<std::size_t>(lane); }

}  // namespace

Addresses Warp::addresses(const Slot& base, std::int64_t displacement, Mask lanes) const noexcept {
  Addresses result{};
  const auto offset = static_cast<std::uint64_t>(displacement);
  if (base.bank == Bank::wide) {
    const Wides& values = registers.wides[base.at];
    for_each_lane(lanes, [&](int lane) { result[at(lane)] = values[at(lane)] + offset; });
  } else {
    const Words& values = registers.words[base.at];
    for_each_lane(lanes, [&](int lane) { result[at(lane)] = (values[at(lane)] + offset) & 0xFFFF'FFFFU; });
  }
  return result;
}

Located Warp::locate(const Addresses& addresses, Mask lanes, const Touch& touch) {
  if (touch.space == Space::generic)
    return locate_generic(addresses, lanes, touch);
  const Mask misaligned = [&] {
    Mask found = 0;
    for_each_lane(lanes, [&](int lane) { found |= addresses[at(lane)] % touch.bytes != 0 ? lane_bit(lane) : 0; });
    return found;
  }();
  if (misaligned != 0) [[unlikely]] {
    fail(FaultKind::misaligned, misaligned,
         fmt::format("address {:#x} is not a multiple of the {} bytes accessed",
                     addresses[at(std::countr_zero(misaligned))], touch.bytes));
  }
  Traffic& traffic = launch_->bytes[static_cast<std::size_t>(touch.space)];
  const std::uint64_t amount = std::uint64_t{touch.bytes} * static_cast<std::uint64_t>(std::popcount(lanes));
  if (touch.reads)
    traffic.read += amount;
  if (!is_read(touch.kind))
    traffic.written += amount;
  // Whether an atomic changed anything, its handler knows.
  if (touch.kind == AccessKind::write)
    ++launch_->progress;
  switch (touch.space) {
    case Space::shared:
      return locate_shared(addresses, lanes, touch);
    case Space::global:
      return locate_global(addresses, lanes, touch);
    case Space::local:
      return locate_local(addresses, lanes, touch);
    case Space::param:
    case Space::constant:
    case Space::generic:
      break;
  }
  return locate_uniform(addresses, lanes, touch);
}

// Lanes may name different spaces: each goes its own way.
Located Warp::locate_generic(const Addresses& addresses, Mask lanes, const Touch& touch) {
  Located located{};
  while (lanes != 0) {
    const Space space = space_of(addresses[at(std::countr_zero(lanes))]);
    Mask same = 0;
    Addresses within{};
    for_each_lane(lanes, [&](int lane) {
      if (space_of(addresses[at(lane)]) == space) {
        same |= lane_bit(lane);
        within[at(lane)] = within_window(addresses[at(lane)]);
      }
    });
    Touch one = touch;
    one.space = space;
    const Located part = locate(within, same, one);
    for_each_lane(same, [&](int lane) { located[at(lane)] = part[at(lane)]; });
    lanes &= ~same;
  }
  return located;
}

// Lanes may name the shared memory of different blocks of the cluster.
Located Warp::locate_shared(const Addresses& addresses, Mask lanes, const Touch& touch) {
  std::uint64_t bits = 0;
  for_each_lane(lanes, [&](int lane) { bits |= addresses[at(lane)]; });
  if (bits >> cluster_rank_shift == 0) [[likely]]
    return locate_shared_of(*block_, addresses, lanes, touch);
  Located located{};
  while (lanes != 0) {
    const std::uint64_t rank = addresses[at(std::countr_zero(lanes))] >> cluster_rank_shift;
    Mask same = 0;
    Addresses within{};
    for_each_lane(lanes, [&](int lane) {
      if (addresses[at(lane)] >> cluster_rank_shift != rank)
        return;
      same |= lane_bit(lane);
      within[at(lane)] = shared_place(*this, addresses[at(lane)], lane_bit(lane)).address;
    });
    Block& owner = *shared_place(*this, addresses[at(std::countr_zero(lanes))], same).block;
    const Located part = locate_shared_of(owner, within, same, touch);
    for_each_lane(same, [&](int lane) { located[at(lane)] = part[at(lane)]; });
    lanes &= ~same;
  }
  return located;
}

Located Warp::locate_shared_of(Block& owner, const Addresses& addresses, Mask lanes, const Touch& touch) {
  SharedMemory& shared = owner.shared;
  Addresses offsets{};
  for_each_lane(lanes, [&](int lane) {
    const std::uint64_t address = addresses[at(lane)];
    if (!shared.contains(address, touch.bytes)) [[unlikely]] {
      fail(FaultKind::out_of_bounds, lane_bit(lane),
           fmt::format("{} {} bytes at shared {:#x}, and the block's {} bytes of shared memory are at {:#x} to {:#x}",
                       verb(touch), touch.bytes, address, shared.bytes.size(), shared_begin,
                       shared_begin + shared.bytes.size()));
    }
    offsets[at(lane)] = address - shared_begin;
  });
  if (!shared.shadow.empty())
    check_races(*this, shared.shadow, offsets, lanes, touch, "shared memory", shared.bytes.data());
  Located located{};
  for_each_lane(lanes, [&](int lane) {
    const auto offset = static_cast<std::size_t>(offsets[at(lane)]);
    if (touch.reads && !shared.written.all(offset, touch.bytes)) [[unlikely]] {
      fail(FaultKind::uninitialized_memory, lane_bit(lane),
           fmt::format("reads {} bytes at shared {:#x} that nobody has written", touch.bytes, addresses[at(lane)]));
    }
    if (!is_read(touch.kind))
      shared.written.set(offset, touch.bytes);
    located[at(lane)] = shared.bytes.data() + offset;
  });
  if (!touch.asynchronous) {
    const BankUse use = bank_use(offsets, lanes, touch.bytes);
    launch_->shared_cycles += use.cycles;
    launch_->shared_conflict_cycles += use.cycles - use.ideal;
  }
  return located;
}

Located Warp::locate_global(const Addresses& addresses, Mask lanes, const Touch& touch) {
  Located located{};
  Addresses offsets{};
  while (lanes != 0) {
    const int first = std::countr_zero(lanes);
    if (last_buffer_ == nullptr || !last_buffer_->contains(addresses[at(first)], touch.bytes))
      last_buffer_ = launch_->global.find(addresses[at(first)], touch.bytes);
    if (last_buffer_ == nullptr) [[unlikely]] {
      fail(FaultKind::out_of_bounds, lane_bit(first),
           fmt::format("{} {} bytes of global memory {}", verb(touch), touch.bytes,
                       launch_->global.describe_miss(addresses[at(first)], touch.bytes)));
    }
    Buffer& buffer = *last_buffer_;
    Mask here = 0;
    for_each_lane(lanes, [&](int lane) {
      if (!buffer.contains(addresses[at(lane)], touch.bytes))
        return;
      here |= lane_bit(lane);
      offsets[at(lane)] = addresses[at(lane)] - (buffer.begin & ~std::uint64_t{granule_bytes - 1});
      // The registered buffers are this process's own memory: an address inside one is a pointer.
      located[at(lane)] = std::bit_cast<std::byte*>(addresses[at(lane)]);
    });
    if (!is_read(touch.kind) && buffer.access == BufferAccess::read) [[unlikely]]
      fail(FaultKind::forbidden_access, here, fmt::format("{} {}, which is read-only", verb(touch), buffer.name));
    if (!buffer.shadow.empty())
      check_races(*this, buffer.shadow, offsets, here, touch, buffer.name);
    if (!buffer.written.empty()) {
      for_each_lane(here, [&](int lane) {
        const auto offset = static_cast<std::size_t>(addresses[at(lane)] - buffer.begin);
        if (touch.reads && !buffer.written.all(offset, touch.bytes)) [[unlikely]] {
          fail(
              FaultKind::uninitialized_memory, lane_bit(lane),
              fmt::format("reads {} bytes of {} at byte {} that nobody has written", touch.bytes, buffer.name, offset));
        }
        if (!is_read(touch.kind))
          buffer.written.set(offset, touch.bytes);
      });
    }
    lanes &= ~here;
  }
  return located;
}

Located Warp::locate_local(const Addresses& addresses, Mask lanes, const Touch& touch) {
  Located located{};
  const auto frame = static_cast<std::size_t>(kernel_->local_bytes);
  for_each_lane(lanes, [&](int lane) {
    const std::uint64_t address = addresses[at(lane)];
    if (address > frame || touch.bytes > frame - address) [[unlikely]] {
      fail(FaultKind::out_of_bounds, lane_bit(lane),
           fmt::format("{} {} bytes at byte {} of the lane's {} bytes of local memory", verb(touch), touch.bytes,
                       address, frame));
    }
    const std::size_t offset = at(lane) * frame + static_cast<std::size_t>(address);
    if (touch.reads && !local_written_.all(offset, touch.bytes)) [[unlikely]] {
      fail(FaultKind::uninitialized_memory, lane_bit(lane),
           fmt::format("reads {} bytes at byte {} of local memory that it has not written", touch.bytes, address));
    }
    if (!is_read(touch.kind))
      local_written_.set(offset, touch.bytes);
    located[at(lane)] = local_.data() + offset;
  });
  return located;
}

// Parameters and constants: the same for every lane, never written.
Located Warp::locate_uniform(const Addresses& addresses, Mask lanes, const Touch& touch) {
  const bool parameter = touch.space == Space::param;
  const std::byte* begin = parameter ? launch_->parameters.data() : std::as_bytes(std::span(kernel_->constants)).data();
  const std::size_t size = parameter ? launch_->parameters.size() : kernel_->constants.size();
  const char* what = parameter ? "the parameters" : "constant memory";
  if (!is_read(touch.kind))
    fail(FaultKind::forbidden_access, lanes, fmt::format("{} {}, which are read-only", verb(touch), what));
  Located located{};
  for_each_lane(lanes, [&](int lane) {
    const std::uint64_t address = addresses[at(lane)];
    if (address > size || touch.bytes > size - address) [[unlikely]] {
      fail(FaultKind::out_of_bounds, lane_bit(lane),
           fmt::format("reads {} bytes at byte {} of {}, which have {}", touch.bytes, address, what, size));
    }
    // Never written through: writes were refused above.
    located[at(lane)] = const_cast<std::byte*>(begin) + address;
  });
  return located;
}

}  // namespace attentune::simulator
