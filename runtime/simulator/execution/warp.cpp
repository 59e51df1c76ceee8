#include "runtime/simulator/execution/warp.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/cluster.h"
#include "runtime/simulator/execution/launch.h"

namespace attentune::simulator {

Warp::Warp(Block& block, std::uint32_t index)
    : registers(block.launch().kernel.initial),
      block_(&block),
      launch_(&block.launch()),
      kernel_(&block.launch().kernel),
      index_(index),
      local_(static_cast<std::size_t>(kernel_->local_bytes) * warp_size) {}

void Warp::reset() {
  registers.written = kernel_->initial.written;
  set_specials();
  const auto threads = launch_->shape.block.count();
  const std::uint64_t mine = std::min<std::uint64_t>(threads - std::uint64_t{index_} * warp_size, warp_size);
  live_ = every_lane >> (warp_size - static_cast<int>(mine));
  paths_.assign(1, {.lanes = live_});
  joins_.clear();
  parted_at_ = nowhere;
  local_written_ = ByteBits(local_.size());
  copies = {};
  stores = {};
  product_registers = ProductRegisters(launch_->timelines.async_proxy ? kernel_->initial.written.size() : 0);
  cluster_arrived = 0;
  timeline_ = block_->first_timeline() + index_;
  copy_timeline_ = block_->first_timeline() + launch_->timelines.copies(index_);
  clock = VectorClock(block_->first_timeline(), launch_->options.races ? launch_->timelines.count() : 0);
  fence_released = {};
  fence_acquiring = {};
  clock.learn({.timeline = timeline_, .time = 1});
}

bool Warp::can_run() const noexcept {
  return std::ranges::any_of(paths_, [](const Path& path) { return path.state == PathState::running; });
}

bool Warp::select() {
  if (paths_.size() == 1) {
    current_ = 0;
    return paths_[0].state == PathState::running;
  }
  const auto running = std::ranges::count(paths_, PathState::running, &Path::state);
  if (running == 0)
    return false;
  auto nth = launch_->random.below(static_cast<std::uint32_t>(running));
  for (current_ = 0; paths_[current_].state != PathState::running || nth-- > 0;)
    ++current_;
  return true;
}

// Compilers compute on in lanes whose results nobody uses: outside of strict mode an unwritten value may be computed
// with, and must not reach memory, an address, a guard or a matrix.
Mask Warp::check_inputs(const Step& step, Mask lanes) const {
  Mask unwritten = 0;
  for (std::size_t i = 0; i < step.inputs; ++i) {
    const Slot& slot = step.input(i);
    const Mask missing = lanes & ~registers.written[slot.number];
    if (missing == 0) [[likely]]
      continue;
    if (!step.computes || launch_->options.strict) {
      fail(FaultKind::uninitialized_register, missing,
           fmt::format("{} is read before anything was written to it{}", register_name(slot),
                       launch_->options.strict ? "" : " or to what it was computed from"));
    }
    unwritten |= missing;
  }
  return unwritten;
}

// wgmma works on its registers while the warp goes on.
void Warp::touch_registers(const Step& step, Mask lanes) {
  for (std::size_t i = 0; i < std::size_t{step.outputs} + step.inputs; ++i) {
    const Slot& slot = step.slots[i];
    if (product_registers.pending(slot)) [[unlikely]]
      fail(FaultKind::barrier, lanes,
           fmt::format("{} {} {}, which is {} of a wgmma that is under way: no wgmma.wait_group has waited for it",
                       kernel_->opcodes[pc_], i < step.outputs ? "writes" : "reads", register_name(slot),
                       product_registers.shape(slot) == 0 ? "a part of A" : "an accumulator"));
    product_registers.touch(slot);
  }
}

void Warp::check_and_execute(const Step& step, Mask lanes) {
  const Mask unwritten = step.checks_inputs ? check_inputs(step, lanes) : 0;
  step.handler(*this, step, lanes);
  if (step.writes_validity)
    return;
  for (std::size_t i = 0; i < step.outputs; ++i) {
    Mask& written = registers.written[step.output(i).number];
    written = (written | lanes) & ~unwritten;
  }
}

void Warp::run(int budget) {
  budget_ = budget;
  if (!select())
    return;
  while (budget_-- > 0) {
    Path& path = paths_[current_];
    pc_ = path.pc;
    const Step& step = kernel_->steps[pc_];
    Mask lanes = path.lanes;
    launch_->entered[pc_] = 1;
    if (step.guarded) {
      const Mask unknown = lanes & ~registers.written[step.guard.number];
      if (unknown != 0) [[unlikely]] {
        fail(FaultKind::uninitialized_register, unknown,
             fmt::format("the guard {} is read before anything was written to it", register_name(step.guard)));
      }
      lanes &= registers.predicate(step.guard);
    }
    released_ = path.released;
    path.released = false;
    if (lanes == 0) {
      ++path.pc;
    } else if (step.convergence != Convergence::none && !gather(step, lanes)) {
      if (!select())
        return;
      continue;
    } else {
      if (step.strict && parted_at_ != nowhere && launch_->options.strict) [[unlikely]]
        refuse_after_parting(lanes);
      if (launch_->timelines.async_proxy && !step.takes_registers)
        touch_registers(step, lanes);
      if (!released_) {
        ++launch_->executed[pc_];
        ++launch_->instructions;
      }
      if (step.flow == Flow::straight) {
        check_and_execute(step, lanes);
        ++paths_[current_].pc;
      } else {
        if (lanes != paths_[current_].lanes && !step.parts) {
          // Lanes whose guard is false go on without the others.
          Path others = paths_[current_];
          others.lanes &= ~lanes;
          ++others.pc;
          paths_[current_].lanes = lanes;
          paths_.push_back(others);
        }
        check_and_execute(step, lanes);
        if (!select())
          return;
      }
    }
    if (at_join(paths_[current_])) {
      arrive_at_join();
      if (!select())
        return;
    }
  }
}

void Warp::refuse_after_parting(Mask lanes) const {
  const auto branch = static_cast<std::size_t>(parted_at_);
  const std::string source = kernel_->source_of(branch);
  fail(FaultKind::divergence, lanes,
       fmt::format("{} follows the branch at PTX line {}{}, where lanes parted, without a bar.warp.sync between",
                   kernel_->opcodes[pc_], kernel_->lines[branch], source.empty() ? "" : " (" + source + ")"));
}

void Warp::fail(FaultKind kind, Mask lanes, const std::string& sentence) const {
  throw Fault(kind, sentence, place(lanes));
}

void Warp::fail_at(std::uint32_t step, FaultKind kind, Mask lanes, const std::string& sentence) {
  pc_ = step;
  fail(kind, lanes, sentence);
}

Epoch Warp::bulk_read_epoch(std::uint32_t batch) const noexcept {
  return {.timeline = block_->first_timeline() + launch_->timelines.bulk_reads(index_), .time = batch};
}

Epoch Warp::bulk_write_epoch(std::uint32_t batch) const noexcept {
  return {.timeline = block_->first_timeline() + launch_->timelines.bulk_writes(index_), .time = batch};
}

Place Warp::place(Mask lanes) const {
  return {.kernel = kernel_->name,
          .block = static_cast<std::int64_t>(block_->index()),
          .warp = static_cast<std::int32_t>(index_),
          .lanes = lanes,
          .ptx_line = kernel_->lines[pc_],
          .source = kernel_->source_of(pc_)};
}

std::string Warp::register_name(const Slot& slot) const { return kernel_->register_names[slot.number]; }

std::string Warp::describe() const {
  std::string text;
  for (const Path& path : paths_) {
    const std::string what = [&]() -> std::string {
      switch (path.state) {
        case PathState::running:
          return "can run";
        case PathState::joining:
          return "wait where diverged lanes meet";
        case PathState::gathering:
          return "wait for the other lanes of a .sync";
        case PathState::warp_barrier:
          return fmt::format("wait at bar.warp.sync {:#x}", path.waits_for);
        case PathState::barrier: {
          const Barrier& barrier = block_->barriers[path.waits_for];
          const std::uint32_t expected = barrier.expected == 0 ? block_->threads() : barrier.expected;
          return fmt::format("wait at barrier {}, where {} of {} threads have come", path.waits_for, barrier.arrived,
                             expected);
        }
        case PathState::mbarrier: {
          const auto found = block_->mbarriers.find(path.waits_for);
          if (found == block_->mbarriers.end())
            return "wait for an mbarrier that is gone";
          return fmt::format(
              "wait for the mbarrier at shared {:#x}, phase {}: {} of {} arrivals and {} bytes are missing",
              path.waits_for, found->second.phase, found->second.pending, found->second.expected,
              found->second.transactions);
        }
        case PathState::cluster_barrier:
          return fmt::format("wait at the cluster's barrier, where {} threads have come",
                             block_->cluster().barrier.arrived);
        case PathState::warpgroup:
          return "wait for the other warps of their warpgroup to commit the same wgmma group";
        case PathState::registers:
          return fmt::format("wait for registers in setmaxnreg: {}", block_->registers.describe());
      }
      return "";
    }();
    text += fmt::format("\n  block {} warp {} {}: {} (PTX line {}{}{})", block_->index(), index_,
                        describe_lanes(path.lanes), what, kernel_->lines[path.pc],
                        kernel_->source_of(path.pc).empty() ? "" : ", ", kernel_->source_of(path.pc));
  }
  return text;
}

}  // namespace attentune::simulator
