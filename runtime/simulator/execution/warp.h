// Warp: 32 lanes, their registers, where each of them stands, and what the warp knows of the others' work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/simulator/decode/kernel.h"
#include "runtime/simulator/execution/async_copy.h"
#include "runtime/simulator/execution/bulk_copy.h"
#include "runtime/simulator/execution/path.h"
#include "runtime/simulator/execution/product_registers.h"
#include "runtime/simulator/fault.h"
#include "runtime/simulator/memory/global_memory.h"
#include "runtime/simulator/races/shadow.h"
#include "runtime/simulator/races/vector_clock.h"
#include "runtime/simulator/state/register_file.h"

namespace attentune::simulator {

class Block;
struct Launch;

// What each lane stores, 32 bytes at most: st.v4.b64 and st.v8.b32.
using StoredBytes = std::array<std::array<std::byte, 32>, warp_size>;

// What an access does to memory, for all its checks.
struct Touch {
  Space space = Space::global;
  std::uint32_t bytes = 4;  // of one lane; the address must be a multiple of it
  AccessKind kind = AccessKind::read;
  bool asynchronous = false;            // on the copy timeline of the warp
  bool reads = true;                    // whether the bytes must have been written before
  const StoredBytes* stored = nullptr;  // of a plain store: lanes and warps may store equal bytes at once
};

using Addresses = std::array<std::uint64_t, warp_size>;
using Located = std::array<std::byte*, warp_size>;  // where each lane's bytes are on the host

class Warp {
 public:
  Warp(Block& block, std::uint32_t index);

  // Starts over as a warp of the block's new position.
  void reset();

  // Runs at most `budget` steps, fewer if nobody can go on.
  void run(int budget);
  [[nodiscard]] bool can_run() const noexcept;
  [[nodiscard]] bool done() const noexcept { return live_ == 0; }

  // For handlers.
  RegisterFile registers;
  [[nodiscard]] Block& block() const noexcept { return *block_; }
  [[nodiscard]] Launch& launch() const noexcept { return *launch_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] Mask live() const noexcept { return live_; }
  [[noreturn]] void fail(FaultKind kind, Mask lanes, const std::string& sentence) const;
  // The same, of an operation that was issued at another step.
  [[noreturn]] void fail_at(std::uint32_t step, FaultKind kind, Mask lanes, const std::string& sentence);
  [[nodiscard]] Place place(Mask lanes) const;

  // Memory: checks everything and says where the bytes are. A write counts as done.
  [[nodiscard]] Addresses addresses(const Slot& base, std::int64_t offset, Mask lanes) const noexcept;
  Located locate(const Addresses& addresses, Mask lanes, const Touch& touch);
  [[nodiscard]] std::uint32_t step_index() const noexcept { return pc_; }
  [[nodiscard]] std::string register_name(const Slot& slot) const;

  // Control: each moves the current path.
  void advance() noexcept;
  void branch(const Step& step, std::uint32_t target, Mask taken);
  // Each lane of `taken` to its own target; the others go on.
  void branch_each(const Step& step, const std::array<std::uint32_t, warp_size>& targets, Mask taken);
  void exit_lanes(Mask lanes);
  void wait(PathState state, std::uint64_t waits_for) noexcept;
  void wait_for_warp(Mask members);
  void end_turn() noexcept { budget_ = 0; }
  [[nodiscard]] bool released() const noexcept { return released_; }
  // Every path that waits for this may try again.
  void release(PathState state, std::uint64_t waits_for) noexcept;
  void release_all(PathState state) noexcept;
  void all_synchronized() noexcept {
    if (paths_.size() == 1)
      parted_at_ = nowhere;
  }

  // Happens-before. `clock` is what the warp knows; it includes its own time.
  VectorClock clock;
  VectorClock fence_released;   // as of the last fence
  VectorClock fence_acquiring;  // what a later fence will learn
  AsyncCopies copies;
  BulkStores stores;
  ProductRegisters product_registers;
  Mask cluster_arrived = 0;              // lanes that arrived at the cluster's barrier and have not waited since
  std::uint32_t cluster_generation = 0;  // of the barrier when they did
  [[nodiscard]] Epoch now() const noexcept { return {.timeline = timeline_, .time = clock.time(timeline_)}; }
  void tick() { clock.learn({.timeline = timeline_, .time = clock.time(timeline_) + 1}); }
  [[nodiscard]] Epoch bulk_read_epoch(std::uint32_t batch) const noexcept;
  [[nodiscard]] Epoch bulk_write_epoch(std::uint32_t batch) const noexcept;
  [[nodiscard]] Epoch copy_epoch() const noexcept { return {.timeline = copy_timeline_, .time = copies.batch}; }

  // "lanes 0-15 wait at barrier 1 (PTX line 20), ...", for a deadlock's report.
  [[nodiscard]] std::string describe() const;

 private:
  // The lanes whose result counts as unwritten.
  [[nodiscard]] Mask check_inputs(const Step& step, Mask lanes) const;
  [[noreturn]] void refuse_after_parting(Mask lanes) const;
  void touch_registers(const Step& step, Mask lanes);
  [[nodiscard]] bool select();
  // Where some lanes go on.
  struct Way {
    std::uint32_t pc = 0;
    Mask lanes = 0;
  };
  void part(const Step& step, std::span<const Way> ways);
  [[nodiscard]] bool at_join(const Path& path) const noexcept;
  void arrive_at_join();
  void complete_joins();
  [[nodiscard]] bool gather(const Step& step, Mask lanes);
  void regather();
  void release_warp_barrier();
  void become_one(std::uint32_t pc);
  void check_exit(Mask lanes);
  void run_joint(const Step& step, Mask lanes);
  void check_and_execute(const Step& step, Mask lanes);
  void set_specials();
  Located locate_generic(const Addresses& addresses, Mask lanes, const Touch& touch);
  Located locate_shared(const Addresses& addresses, Mask lanes, const Touch& touch);
  Located locate_shared_of(Block& owner, const Addresses& addresses, Mask lanes, const Touch& touch);
  Located locate_global(const Addresses& addresses, Mask lanes, const Touch& touch);
  Located locate_local(const Addresses& addresses, Mask lanes, const Touch& touch);
  Located locate_uniform(const Addresses& addresses, Mask lanes, const Touch& touch);

  Block* block_;
  Launch* launch_;
  const Kernel* kernel_;
  std::uint32_t index_;
  Mask live_ = 0;
  std::vector<Path> paths_;
  std::vector<Join> joins_;
  std::size_t current_ = 0;
  std::uint32_t pc_ = 0;  // of the step that runs
  int budget_ = 0;
  bool released_ = false;
  static constexpr std::int32_t nowhere = -1;
  std::int32_t parted_at_ = nowhere;  // the last branch that lanes parted at, until a sync of all of them
  Buffer* last_buffer_ = nullptr;
  std::uint32_t timeline_ = 0;
  std::uint32_t copy_timeline_ = 0;
  std::vector<std::byte> local_;  // a lane's after the other
  ByteBits local_written_;
};

}  // namespace attentune::simulator
