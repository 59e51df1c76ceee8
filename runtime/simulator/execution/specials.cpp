// What the special registers hold for the lanes of a warp (PTX ISA 9.0, chapter 10).
#include <cstdint>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

namespace {

// What does not depend on the lane beyond its thread index.
std::uint32_t value(Special special, const Warp& warp, std::uint32_t lane) noexcept {
  const Launch& launch = warp.launch();
  const Extent& block = launch.shape.block;
  const Extent& grid = launch.shape.grid;
  const Extent& cluster = launch.shape.cluster;
  const Extent& position = warp.block().position();
  const std::uint32_t thread = warp.index() * warp_size + lane;
  using enum Special;
  switch (special) {
    case tid_x:
      return thread % block.x;
    case tid_y:
      return thread / block.x % block.y;
    case tid_z:
      return thread / (block.x * block.y);
    case ntid_x:
      return block.x;
    case ntid_y:
      return block.y;
    case ntid_z:
      return block.z;
    case ctaid_x:
      return position.x;
    case ctaid_y:
      return position.y;
    case ctaid_z:
      return position.z;
    case nctaid_x:
      return grid.x;
    case nctaid_y:
      return grid.y;
    case nctaid_z:
      return grid.z;
    case laneid:
      return lane;
    case warpid:
      return warp.index();
    case nwarpid:
      return launch.warps;
    case smid:
      return warp.block().slot() % static_cast<std::uint32_t>(launch.options.sms);
    case nsmid:
      return static_cast<std::uint32_t>(launch.options.sms);
    case gridid:
      return 1;
    case lanemask_eq:
      return 1U << lane;
    case lanemask_le:
      return (2U << lane) - 1U;
    case lanemask_lt:
      return (1U << lane) - 1U;
    case lanemask_ge:
      return ~((1U << lane) - 1U);
    case lanemask_gt:
      return ~((2U << lane) - 1U);
    case dynamic_smem_size:
      return launch.shape.dynamic_shared_bytes;
    case total_smem_size:
      return static_cast<std::uint32_t>(launch.shared_bytes);
    case cluster_ctarank:
      return warp.block().rank();
    case cluster_nctarank:
      return static_cast<std::uint32_t>(cluster.count());
    case cluster_ctaid_x:
      return position.x % cluster.x;
    case cluster_nctaid_x:
      return cluster.x;
    case clusterid_x:
      return position.x / cluster.x;
    case nclusterid_x:
      return grid.x / cluster.x;
    case cluster_ctaid_y:
      return position.y % cluster.y;
    case cluster_nctaid_y:
      return cluster.y;
    case clusterid_y:
      return position.y / cluster.y;
    case nclusterid_y:
      return grid.y / cluster.y;
    case cluster_ctaid_z:
      return position.z % cluster.z;
    case cluster_nctaid_z:
      return cluster.z;
    case clusterid_z:
      return position.z / cluster.z;
    case nclusterid_z:
      return grid.z / cluster.z;
    case is_explicit_cluster:
      return cluster.count() > 1 ? 1 : 0;
  }
  return 0;
}

}  // namespace

void Warp::set_specials() {
  for (const SpecialRegister& one : kernel_->specials) {
    for (std::uint32_t lane = 0; lane < warp_size; ++lane) {
      if (one.slot.bank == Bank::predicate)
        registers.set_predicate(one.slot, lane_bit(static_cast<int>(lane)),
                                value(one.special, *this, lane) != 0 ? every_lane : 0);
      else if (one.slot.bank == Bank::wide)
        registers.wides[one.slot.at][lane] = value(one.special, *this, lane);
      else
        registers.words[one.slot.at][lane] = value(one.special, *this, lane);
    }
  }
}

}  // namespace attentune::simulator
