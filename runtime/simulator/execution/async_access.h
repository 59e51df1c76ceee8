// Accesses of bulk copies and of wgmma: whole ranges of bytes, in the async proxy (PTX ISA 9.0, section 9.7.9.25.2).
// They are checked when the operation is issued, with what its warp knew then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/races/shadow.h"

namespace attentune::simulator {

class Block;

struct AsyncAccess {
  Epoch epoch;  // when it has happened
  AccessKind kind = AccessKind::read;
  Mask lanes = every_lane;                 // that issue it, for messages
  std::string_view what = "copy";          // "a bulk copy", "a wgmma"
  std::vector<Access>* sources = nullptr;  // gets the writes met, one an epoch
};

// Whether a fence.proxy.async stands after what was done in the generic proxy at that moment, as far as the warp knows.
[[nodiscard]] bool known_to_async_proxy(const Warp& warp, Epoch generic);

// Stops the run unless a fence.proxy.async stands between a generic access and this one, as far as the warp knows.
void check_proxy(Warp& warp, const Access& earlier, const AsyncAccess& access, std::size_t offset);

// Bytes [offset, offset + bytes) of a block's shared memory, which the caller knows to be inside. Stops the run at a
// race and at a generic access without a fence.proxy.async between. Cost: some 10 ns a granule.
void check_shared_range(Warp& warp, Block& owner, std::size_t offset, std::size_t bytes, const AsyncAccess& access);

// The same of whole granules of the own block's shared memory, by number.
void check_shared_granules(Warp& warp, std::span<const std::uint32_t> granules, const AsyncAccess& access);

// The same for global memory; returns where the bytes are, and stops the run where no buffer holds them all.
[[nodiscard]] std::byte* locate_global_range(Warp& warp, std::uint64_t address, std::size_t bytes,
                                             const AsyncAccess& access);

// The offset in its block's shared memory of `bytes` bytes at a shared address; stops the run where they are outside.
[[nodiscard]] std::size_t shared_offset(Warp& warp, std::uint64_t address, std::size_t bytes,
                                        const AsyncAccess& access);

}  // namespace attentune::simulator
