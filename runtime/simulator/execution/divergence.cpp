// Where the lanes of a warp go: apart at branches, together again at joins and .sync instructions.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/execution/warpgroup.h"

namespace attentune::simulator {

void Warp::advance() noexcept { ++paths_[current_].pc; }

bool Warp::at_join(const Path& path) const noexcept {
  return path.join >= 0 && path.state == PathState::running &&
         path.pc == joins_[static_cast<std::size_t>(path.join)].pc;
}

void Warp::branch(const Step& step, std::uint32_t target, Mask taken) {
  Path& path = paths_[current_];
  if (taken != path.lanes) {
    const std::array ways{Way{.pc = path.pc + 1, .lanes = path.lanes & ~taken}, Way{.pc = target, .lanes = taken}};
    return part(step, ways);
  }
  path.pc = target;
  if (at_join(path))
    arrive_at_join();
}

void Warp::branch_each(const Step& step, const std::array<std::uint32_t, warp_size>& targets, Mask taken) {
  const Path& path = paths_[current_];
  std::vector<Way> ways;
  if (path.lanes != taken)
    ways.push_back({.pc = path.pc + 1, .lanes = path.lanes & ~taken});
  for_each_lane(taken, [&](int lane) {
    const std::uint32_t target = targets[static_cast<std::size_t>(lane)];
    const auto same = std::ranges::find(ways, target, &Way::pc);
    if (same == ways.end())
      ways.push_back({.pc = target, .lanes = lane_bit(lane)});
    else
      same->lanes |= lane_bit(lane);
  });
  if (ways.size() == 1)
    return branch(step, ways.front().pc, path.lanes);
  part(step, ways);
}

// Splits the current path, which stays the first of the ways.
void Warp::part(const Step& step, std::span<const Way> ways) {
  Path whole = paths_[current_];
  parted_at_ = static_cast<std::int32_t>(pc_);
  const bool known_join =
      whole.join >= 0 && static_cast<std::int32_t>(joins_[static_cast<std::size_t>(whole.join)].pc) == step.join;
  if (step.join >= 0 && !known_join) {
    joins_.push_back({.pc = static_cast<std::uint32_t>(step.join), .lanes = whole.lanes, .parent = whole.join});
    whole.join = static_cast<std::int32_t>(joins_.size()) - 1;
  }
  for (const Way& way : ways) {
    Path path = whole;
    path.pc = way.pc;
    path.lanes = way.lanes;
    // It may stand at the meeting point already.
    if (at_join(path))
      path.state = PathState::joining;
    if (&way == &ways.front())
      paths_[current_] = path;
    else
      paths_.push_back(path);
  }
  complete_joins();
}

void Warp::arrive_at_join() {
  paths_[current_].state = PathState::joining;
  complete_joins();
}

// Merges the paths of every join that all its lanes have reached; the merged path may reach the next join at once.
void Warp::complete_joins() {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t j = 0; j < joins_.size(); ++j) {
      const auto waits_here = [&](const Path& path) {
        return path.state == PathState::joining && path.join == static_cast<std::int32_t>(j);
      };
      Mask arrived = 0;
      for (const Path& path : paths_)
        arrived |= waits_here(path) ? path.lanes : 0;
      if (arrived == 0 || arrived != joins_[j].lanes)
        continue;
      std::erase_if(paths_, waits_here);
      Path merged{.pc = joins_[j].pc, .lanes = arrived, .join = joins_[j].parent};
      joins_[j].lanes = 0;
      if (at_join(merged))
        merged.state = PathState::joining;
      paths_.push_back(merged);
      again = true;
    }
  }
  while (!joins_.empty() && joins_.back().lanes == 0)
    joins_.pop_back();
}

// What a thread may not leave behind.
void Warp::check_exit(Mask lanes) {
  finish_stores(*this, lanes);
  if (lanes == live_)
    block_->warpgroups[index_ / warps_per_group].check_exit(*this);
  if (static_cast<std::uint32_t>(std::popcount(lanes)) == block_->threads() && block_->awaits_loads())
    fail(FaultKind::barrier, lanes,
         "the block's last threads exit while a bulk copy into its shared memory is under way");
}

void Warp::exit_lanes(Mask lanes) {
  if (launch_->timelines.async_proxy)
    check_exit(lanes);
  live_ &= ~lanes;
  const std::uint32_t count = static_cast<std::uint32_t>(std::popcount(lanes));
  paths_[current_].lanes &= ~lanes;
  if (paths_[current_].lanes == 0)
    paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(current_));
  for (Join& join : joins_)
    join.lanes &= ~lanes;
  complete_joins();
  regather();
  release_warp_barrier();
  ++launch_->progress;
  block_->threads_exited(count);
}

void Warp::wait(PathState state, std::uint64_t waits_for) noexcept {
  paths_[current_].state = state;
  paths_[current_].waits_for = waits_for;
}

void Warp::release(PathState state, std::uint64_t waits_for) noexcept {
  for (Path& path : paths_) {
    if (path.state == state && path.waits_for == waits_for) {
      path.state = PathState::running;
      path.released = true;
    }
  }
}

void Warp::release_all(PathState state) noexcept {
  for (Path& path : paths_) {
    if (path.state == state) {
      path.state = PathState::running;
      path.released = true;
    }
  }
}

// All lanes stand at `pc`: nothing is left to meet.
void Warp::become_one(std::uint32_t pc) {
  paths_.assign(1, {.pc = pc, .lanes = live_});
  joins_.clear();
  current_ = 0;
}

// Whether the lanes the step wants are all here. If not, and they may still come, the path waits.
bool Warp::gather(const Step& step, Mask lanes) {
  Path& path = paths_[current_];
  if (step.convergence == Convergence::aligned) {
    if (lanes == live_)
      return true;
    const Mask skipped = path.lanes & ~lanes;
    if (skipped != 0)
      fail(FaultKind::divergence, skipped,
           fmt::format("{} is .aligned and the guard of these lanes skips it", kernel_->opcodes[pc_]));
    const Mask elsewhere = live_ & ~lanes;
    const auto other = std::ranges::find_if(paths_, [&](const Path& p) { return (p.lanes & elsewhere) != 0; });
    fail(FaultKind::divergence, lanes,
         fmt::format("{} is .aligned and {} of its warp are at PTX line {}", kernel_->opcodes[pc_],
                     describe_lanes(elsewhere), kernel_->lines[other->pc]));
  }
  const Slot& slot = step.input(step.inputs - 1U);
  const auto first = static_cast<std::size_t>(std::countr_zero(lanes));
  const Mask members = registers.words[slot.at][first];
  const Mask strangers = lanes & ~members;
  if (strangers != 0)
    fail(FaultKind::bad_operand, strangers,
         fmt::format("{} is run by lanes outside its membermask {:#x}", kernel_->opcodes[pc_], members));
  if ((members & live_) == lanes)
    return true;
  if ((path.lanes & ~lanes & members) != 0)
    fail(FaultKind::divergence, path.lanes & ~lanes & members,
         fmt::format("{} names these lanes in its membermask and their guard skips it", kernel_->opcodes[pc_]));
  path.state = PathState::gathering;
  path.waits_for = members;
  regather();
  return false;
}

// Runs the .sync step of paths that together have become complete.
void Warp::regather() {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (paths_[i].state != PathState::gathering)
      continue;
    const auto same = [pc = paths_[i].pc, members = paths_[i].waits_for](const Path& path) {
      return path.state == PathState::gathering && path.pc == pc && path.waits_for == members;
    };
    Mask arrived = 0;
    for (const Path& path : paths_)
      arrived |= same(path) ? path.lanes : 0;
    if (arrived != (static_cast<Mask>(paths_[i].waits_for) & live_))
      continue;
    const std::uint32_t pc = paths_[i].pc;
    if (arrived == live_) {
      become_one(pc);
      return;
    }
    const std::uint32_t own_pc = pc_;
    pc_ = pc;
    run_joint(kernel_->steps[pc], arrived);
    pc_ = own_pc;
    for (Path& path : paths_) {
      if (same(path)) {
        path.state = PathState::running;
        ++path.pc;
        if (at_join(path))
          path.state = PathState::joining;
      }
    }
    complete_joins();
    return;
  }
}

void Warp::run_joint(const Step& step, Mask lanes) {
  if (launch_->timelines.async_proxy)
    touch_registers(step, lanes);
  ++launch_->executed[pc_];
  check_and_execute(step, lanes);
}

void Warp::wait_for_warp(Mask members) {
  const Path& path = paths_[current_];
  const Mask strangers = path.lanes & ~members;
  if (strangers != 0)
    fail(FaultKind::bad_operand, strangers,
         fmt::format("bar.warp.sync is run by lanes outside its membermask {:#x}", members));
  wait(PathState::warp_barrier, members);
  release_warp_barrier();
}

// 9.7.13.2: all lanes of the mask that have not exited, wherever in the text each one's bar.warp.sync stands.
void Warp::release_warp_barrier() {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (paths_[i].state != PathState::warp_barrier)
      continue;
    const std::uint64_t members = paths_[i].waits_for;
    const auto same = [&](const Path& path) {
      return path.state == PathState::warp_barrier && path.waits_for == members;
    };
    Mask arrived = 0;
    bool one_place = true;
    for (const Path& path : paths_) {
      arrived |= same(path) ? path.lanes : 0;
      one_place = one_place && path.pc == paths_[i].pc;
    }
    if (arrived != (static_cast<Mask>(members) & live_))
      continue;
    if (arrived == live_ && one_place) {
      become_one(paths_[i].pc + 1);
      parted_at_ = nowhere;
      return;
    }
    for (Path& path : paths_) {
      if (same(path)) {
        path.state = PathState::running;
        ++path.pc;
        if (at_join(path))
          path.state = PathState::joining;
      }
    }
    complete_joins();
    return;
  }
}

}  // namespace attentune::simulator
