// Path: lanes of a warp that stand at the same step and move together. Lanes that part at a branch become two paths
// that meet at the branch's immediate post-dominator, their Join.
#pragma once

#include <cstdint>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

enum class PathState : std::uint8_t {
  running,
  joining,       // stands at its join and waits for the others
  gathering,     // at a .sync instruction, waits for the lanes of its membermask to reach it too
  warp_barrier,  // at bar.warp.sync; waits_for: the membermask
  barrier,       // waits_for: the barrier's number
  mbarrier,      // waits_for: the mbarrier's shared address
  cluster_barrier,
  warpgroup,  // for the other warps of its warpgroup to issue what it waits for
  registers   // for the block to have as many: setmaxnreg
};

struct Path {
  std::uint32_t pc = 0;
  Mask lanes = 0;
  std::int32_t join = -1;  // into the warp's joins; -1: none
  PathState state = PathState::running;
  bool released = false;  // has waited at this step, which now runs again
  std::uint64_t waits_for = 0;
};

struct Join {
  std::uint32_t pc = 0;
  Mask lanes = 0;  // that have to come, exited ones no longer
  std::int32_t parent = -1;
};

}  // namespace attentune::simulator
