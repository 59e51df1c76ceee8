#include "runtime/simulator/execution/bulk_issue.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/simulator/execution/async_access.h"
#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/cluster.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/mbarrier_access.h"
#include "runtime/simulator/execution/shared_place.h"
#include "runtime/simulator/memory/swizzle.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

constexpr std::uint32_t chunk = 16;

void check_aligned(const Warp& warp, int lane, std::uint64_t address, std::uint64_t alignment, std::string_view what) {
  if (address % alignment != 0)
    warp.fail(FaultKind::misaligned, lane_bit(lane),
              fmt::format("{} of a bulk copy at {:#x}, which is not a multiple of {}", what, address, alignment));
}

// The 128 bytes at a generic address: a parameter, or global or constant memory.
TensorMapFields read_map(Warp& warp, int lane, std::uint64_t address, std::uint32_t rank) {
  const std::uint64_t within = within_window(address);
  check_aligned(warp, lane, within, 64, "the tensor map");
  Addresses one{};
  EncodedTensorMap bytes;
  for (std::size_t i = 0; i < bytes.size(); i += chunk) {
    one[static_cast<std::size_t>(lane)] = address + i;
    const Located located =
        warp.locate(one, lane_bit(lane), {.space = Space::generic, .bytes = chunk, .kind = AccessKind::read});
    std::memcpy(bytes.data() + i, located[static_cast<std::size_t>(lane)], chunk);
  }
  const std::optional<TensorMapFields> map = decode_tensor_map(bytes);
  if (!map)
    warp.fail(FaultKind::bad_operand, lane_bit(lane), "the tensor map is none: its bytes were not encoded as one");
  if (const std::string why = defect(*map); !why.empty())
    warp.fail(FaultKind::bad_operand, lane_bit(lane), "the tensor map has " + why);
  if (map->rank != rank)
    warp.fail(FaultKind::bad_operand, lane_bit(lane),
              fmt::format("a tensor map of {} dimensions is used with {} coordinates", map->rank, rank));
  // A narrower box would leave holes that no document describes.
  if (map->swizzle_bytes != 0 && row_bytes(*map) != static_cast<std::uint64_t>(map->swizzle_bytes))
    warp.fail(FaultKind::bad_operand, lane_bit(lane),
              fmt::format("a box whose rows have {} bytes with a swizzle of {}", row_bytes(*map), map->swizzle_bytes));
  return *map;
}

std::array<std::byte, 16> fill_of(const TensorMapFields& map) noexcept {
  std::array<std::byte, 16> fill{};
  if (!map.nan_fill)
    return fill;
  // The canonical NaNs: all ones but the sign.
  const std::size_t bytes = bytes_of(map.element);
  fill.fill(std::byte{0xFF});
  for (std::size_t i = bytes - 1; i < fill.size(); i += bytes)
    fill[i] = std::byte{0x7F};
  return fill;
}

// One block's share of the target: the offset of its copy, and its mbarrier. Stops the run where either is wrong.
struct Share {
  Block* block = nullptr;
  std::size_t offset = 0;
  NamedMBarrier mbarrier;
};

Share share_of(Warp& warp, int lane, std::uint64_t shared, std::uint64_t mbarrier, std::uint64_t bytes) {
  const SharedPlace place = shared_place(warp, shared, lane_bit(lane));
  if (!place.block->shared.contains(place.address, bytes))
    warp.fail(
        FaultKind::out_of_bounds, lane_bit(lane),
        fmt::format("a bulk copy writes {} bytes at shared {:#x}, and the block's {} bytes of shared memory are at "
                    "{:#x} to {:#x}",
                    bytes, place.address, place.block->shared.bytes.size(), shared_begin,
                    shared_begin + place.block->shared.bytes.size()));
  Share share{.block = place.block, .offset = static_cast<std::size_t>(place.address - shared_begin)};
  share.mbarrier = find_mbarrier(warp, Space::shared, mbarrier, lane);
  check_published(warp, share.mbarrier, lane);
  if (share.mbarrier.block != share.block)
    warp.fail(FaultKind::barrier, lane_bit(lane), "a bulk copy into one block signals the mbarrier of another");
  if (share.mbarrier.mbarrier->index >= tracked_mbarriers)
    warp.fail(FaultKind::barrier, lane_bit(lane),
              fmt::format("the block has initialized more than the {} mbarriers the simulator follows bulk copies on",
                          tracked_mbarriers));
  return share;
}

std::vector<Share> shares_of(Warp& warp, int lane, const LoadTarget& target, std::uint64_t bytes) {
  std::vector<Share> shares;
  if (target.mask == 0)
    return {share_of(warp, lane, target.shared, target.mbarrier, bytes)};
  const std::uint32_t size = warp.block().cluster().size();
  if (target.mask >> size != 0)
    warp.fail(FaultKind::bad_operand, lane_bit(lane),
              fmt::format("a multicast to the blocks {:#x} of a cluster of {}", target.mask, size));
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    if ((target.mask >> rank & 1) != 0)
      shares.push_back(
          share_of(warp, lane, cluster_address(rank, target.shared), cluster_address(rank, target.mbarrier), bytes));
  }
  return shares;
}

AsyncAccess load_access(const Share& share, int lane, AccessKind kind) {
  return {.epoch = share.block->bulk_epoch(*share.mbarrier.mbarrier, share.mbarrier.mbarrier->phase),
          .kind = kind,
          .lanes = lane_bit(lane),
          .what = "a bulk copy"};
}

// Starts a copy whose pieces are known, relative to the begin of the target.
void start_load(Warp& warp, int lane, const std::vector<Share>& shares, BulkLoad load) {
  for (const Share& share : shares) {
    check_shared_range(warp, *share.block, share.offset, load.bytes, load_access(share, lane, AccessKind::write));
    // Until it has arrived, nothing is there to be read.
    for (const Piece& piece : load.pieces)
      share.block->shared.written.set(piece.shared_offset, piece.bytes, false);
    load.targets.push_back(
        {.block = share.block, .mbarrier = share.mbarrier.address, .phase = share.mbarrier.mbarrier->phase});
  }
  Launch& launch = warp.launch();
  launch.bytes[static_cast<std::size_t>(Space::shared)].written += load.bytes * shares.size();
  ++launch.progress;
  load.warp = &warp;
  load.step = warp.step_index();
  load.lanes = lane_bit(lane);
  if (launch.options.asynchrony == Asynchrony::eager)
    return complete_load(load);
  warp.block().late_loads.push_back(std::move(load));
}

// A row's bytes as pieces of at most one chunk, which swizzling keeps whole. `base`: the shared address of the box.
void add_pieces(std::vector<Piece>& pieces, const BoxRow& row, std::uint64_t bytes, std::uint64_t base, int swizzle,
                std::byte* inside) {
  const auto add = [&](std::uint64_t from, std::uint64_t to, std::byte* far) {
    while (from < to) {
      const std::uint64_t count = std::min(to - from, chunk - from % chunk);
      const std::uint64_t address = swizzled(base + row.offset + from, swizzle);
      pieces.push_back({.far = far,
                        .shared_offset = static_cast<std::uint32_t>(address - shared_begin),
                        .bytes = static_cast<std::uint8_t>(count)});
      far = far == nullptr ? nullptr : far + count;
      from += count;
    }
  };
  add(0, row.lead, nullptr);
  add(row.lead, row.lead + row.inside, inside);
  add(row.lead + row.inside, bytes, nullptr);
}

ReductionType reduction_type(const Warp& warp, int lane, TensorElement element) {
  switch (element) {
    case TensorElement::u32:
      return ReductionType::u32;
    case TensorElement::s32:
      return ReductionType::s32;
    case TensorElement::u64:
      return ReductionType::u64;
    case TensorElement::s64:
      return ReductionType::s64;
    case TensorElement::f16:
      return ReductionType::f16;
    case TensorElement::bf16:
      return ReductionType::bf16;
    case TensorElement::f32:
      return ReductionType::f32;
    case TensorElement::f64:
      return ReductionType::f64;
    case TensorElement::u8:
    case TensorElement::u16:
      break;
  }
  warp.fail(FaultKind::bad_operand, lane_bit(lane), "a tensor of 8- or 16-bit integers cannot be reduced into");
}

AsyncAccess store_write(const Warp& warp, int lane, Reduction reduction) {
  return {.epoch = warp.bulk_write_epoch(warp.stores.batch),
          .kind = reduction == Reduction::none ? AccessKind::write : AccessKind::atomic,
          .lanes = lane_bit(lane),
          .what = "a bulk copy"};
}

void start_store(Warp& warp, int lane, std::uint64_t shared, std::uint64_t bytes, BulkStore store) {
  const AsyncAccess access{.epoch = warp.bulk_read_epoch(warp.stores.batch),
                           .kind = AccessKind::read,
                           .lanes = lane_bit(lane),
                           .what = "a bulk copy"};
  check_shared_range(warp, warp.block(), shared_offset(warp, shared, bytes, access), bytes, access);
  for (const Piece& piece : store.pieces) {
    if (!warp.block().shared.written.all(piece.shared_offset, piece.bytes))
      warp.fail(FaultKind::uninitialized_memory, lane_bit(lane),
                fmt::format("a bulk copy reads {} bytes at shared {:#x} that nobody has written", piece.bytes,
                            piece.shared_offset + shared_begin));
  }
  warp.launch().bytes[static_cast<std::size_t>(Space::shared)].read += bytes;
  ++warp.launch().progress;
  store.lane = lane;
  issue_store(warp, std::move(store));
}

}  // namespace

void issue_tensor_load(Warp& warp, int lane, const LoadTarget& target, std::uint64_t map_address, const Coordinates& at,
                       std::uint32_t rank) {
  const TensorMapFields map = read_map(warp, lane, map_address, rank);
  check_aligned(warp, lane, target.shared, 128, "the destination");
  BulkLoad load{.bytes = static_cast<std::uint32_t>(box_bytes(map)), .fill = fill_of(map)};
  const std::vector<Share> shares = shares_of(warp, lane, target, load.bytes);
  const std::uint64_t base = shares.front().offset + shared_begin;
  for_each_row(map, at, [&](const BoxRow& row) {
    std::byte* inside = nullptr;
    if (row.inside != 0)
      inside = locate_global_range(warp, row.address, row.inside, load_access(shares.front(), lane, AccessKind::read));
    add_pieces(load.pieces, row, row_bytes(map), base, map.swizzle_bytes, inside);
  });
  start_load(warp, lane, shares, std::move(load));
}

void issue_tensor_store(Warp& warp, int lane, std::uint64_t shared, std::uint64_t map_address, const Coordinates& at,
                        std::uint32_t rank, StoreMode mode) {
  const TensorMapFields map = read_map(warp, lane, map_address, rank);
  check_aligned(warp, lane, shared, 128, "the source");
  BulkStore store{.reduction = mode.reduction};
  if (mode.reduction != Reduction::none) {
    store.type = reduction_type(warp, lane, map.element);
    if (!is_reduction(mode.reduction, store.type))
      warp.fail(FaultKind::bad_operand, lane_bit(lane), "there is no such reduction of the tensor's type");
  }
  for_each_row(map, at, [&](const BoxRow& row) {
    std::byte* inside = nullptr;
    if (row.inside != 0)
      inside = locate_global_range(warp, row.address, row.inside, store_write(warp, lane, mode.reduction));
    add_pieces(store.pieces, row, row_bytes(map), shared, map.swizzle_bytes, inside);
  });
  start_store(warp, lane, shared, box_bytes(map), std::move(store));
}

void issue_bulk_load(Warp& warp, int lane, const LoadTarget& target, std::uint64_t source, std::uint32_t bytes,
                     bool between_blocks) {
  check_aligned(warp, lane, bytes, chunk, "the size");
  check_aligned(warp, lane, target.shared, chunk, "the destination");
  check_aligned(warp, lane, source, chunk, "the source");
  const std::vector<Share> shares = shares_of(warp, lane, target, bytes);
  const AsyncAccess read = load_access(shares.front(), lane, AccessKind::read);
  std::byte* from = nullptr;
  if (between_blocks) {
    const std::size_t offset = shared_offset(warp, source, bytes, read);
    check_shared_range(warp, warp.block(), offset, bytes, read);
    from = warp.block().shared.bytes.data() + offset;
  } else if (bytes != 0) {
    from = locate_global_range(warp, source, bytes, read);
  }
  BulkLoad load{.bytes = bytes};
  const BoxRow row{.inside = bytes};
  add_pieces(load.pieces, row, bytes, shares.front().offset + shared_begin, 0, from);
  start_load(warp, lane, shares, std::move(load));
}

void issue_bulk_store(Warp& warp, int lane, std::uint64_t shared, std::uint64_t global, std::uint32_t bytes,
                      StoreMode mode) {
  check_aligned(warp, lane, bytes, chunk, "the size");
  check_aligned(warp, lane, shared, chunk, "the source");
  check_aligned(warp, lane, global, chunk, "the destination");
  BulkStore store{.reduction = mode.reduction, .type = mode.type};
  if (bytes != 0)
    add_pieces(store.pieces, {.inside = bytes}, bytes, shared, 0,
               locate_global_range(warp, global, bytes, store_write(warp, lane, mode.reduction)));
  start_store(warp, lane, shared, bytes, std::move(store));
}

}  // namespace attentune::simulator
