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
      return 0;
    case cluster_nctarank:
      return 1;
  }
  return 0;
}

}  // namespace

void Warp::set_specials() {
  for (const SpecialRegister& one : kernel_->specials) {
    for (std::uint32_t lane = 0; lane < warp_size; ++lane) {
      if (one.slot.bank == Bank::wide)
        registers.wides[one.slot.at][lane] = value(one.special, *this, lane);
      else
        registers.words[one.slot.at][lane] = value(one.special, *this, lane);
    }
  }
}

}  // namespace attentune::simulator
