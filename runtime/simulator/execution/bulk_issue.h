// The issue of bulk copies: every check, and the pieces they move.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/simulator/execution/bulk_copy.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/memory/tensor_box.h"

namespace attentune::simulator {

// Addresses are .shared::cta or .shared::cluster ones; a multicast goes to the blocks of `mask`, 0: no multicast.
struct LoadTarget {
  std::uint64_t shared = 0;
  std::uint64_t mbarrier = 0;
  std::uint16_t mask = 0;
};

struct StoreMode {
  Reduction reduction = Reduction::none;
  ReductionType type = ReductionType::f32;
};

void issue_tensor_load(Warp& warp, int lane, const LoadTarget& target, std::uint64_t map, const Coordinates& at,
                       std::uint32_t rank);
void issue_tensor_store(Warp& warp, int lane, std::uint64_t shared, std::uint64_t map, const Coordinates& at,
                        std::uint32_t rank, StoreMode mode);
// `source`: a global address, or with `between_blocks` one of the own block's shared memory.
void issue_bulk_load(Warp& warp, int lane, const LoadTarget& target, std::uint64_t source, std::uint32_t bytes,
                     bool between_blocks);
void issue_bulk_store(Warp& warp, int lane, std::uint64_t shared, std::uint64_t global, std::uint32_t bytes,
                      StoreMode mode);

}  // namespace attentune::simulator
