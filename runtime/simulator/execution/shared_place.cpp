#include "runtime/simulator/execution/shared_place.h"

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/cluster.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

SharedPlace shared_place(const Warp& warp, std::uint64_t address, Mask lanes) {
  const std::uint64_t rank = address >> cluster_rank_shift;
  if (rank == 0)
    return {.block = &warp.block(), .address = address};
  Cluster& cluster = warp.block().cluster();
  if (rank > cluster.size())
    warp.fail(FaultKind::out_of_bounds, lanes,
              fmt::format("shared address {:#x} is in no block of the cluster, which has {}", address, cluster.size()));
  Block& owner = cluster.block(static_cast<std::uint32_t>(rank - 1));
  if (owner.done())
    warp.fail(FaultKind::out_of_bounds, lanes,
              fmt::format("shared address {:#x} is in block {} of the cluster, which has exited: a cluster barrier "
                          "before the exit keeps it",
                          address, rank - 1));
  return {.block = &owner, .address = address & ((1U << cluster_rank_shift) - 1)};
}

}  // namespace attentune::simulator
