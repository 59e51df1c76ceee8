// mbarrier: PTX ISA 9.0, section 9.7.13.15.
#include <algorithm>
#include <bit>
#include <cstdint>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/mbarrier_access.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

constexpr std::size_t at(int lane) noexcept { return static_cast<std::size_t>(lane); }

// The state an arrive returns: which phase it took part in. Opaque to the program.
std::uint64_t token(const MBarrier& mbarrier) noexcept {
  return std::uint64_t{mbarrier.phase} << 32 | mbarrier.pending;
}

std::uint64_t within(const Step& step, std::uint64_t address) noexcept {
  return step.memory.space == Space::generic ? within_window(address) : address;
}

void initialize(Warp& warp, const Step& step, Mask lanes) {
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  for_each_lane(lanes, [&](int lane) {
    const auto count = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(1), lane));
    if (count == 0 || count > mbarrier_max_count)
      warp.fail(FaultKind::barrier, lane_bit(lane),
                fmt::format("an mbarrier for {} arrivals; 1 to {} are allowed", count, mbarrier_max_count));
    const std::uint64_t address = within(step, addresses[at(lane)]);
    if (warp.block().mbarriers.contains(address))
      warp.fail(FaultKind::barrier, lane_bit(lane),
                fmt::format("the mbarrier at shared {:#x} is initialized again without mbarrier.inval", address));
    Addresses one{};
    one[at(lane)] = address;
    warp.locate(one, lane_bit(lane), {.space = Space::shared, .bytes = 8, .kind = AccessKind::write, .reads = false});
    warp.block().mbarriers[address] = {
        .expected = count, .pending = count, .index = warp.block().next_mbarrier++, .initialized = warp.now()};
  });
}

void invalidate(Warp& warp, const Step& step, Mask lanes) {
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  for_each_lane(lanes, [&](int lane) {
    [[maybe_unused]] const NamedMBarrier named = find_mbarrier(warp, step.memory.space, addresses[at(lane)], lane);
    const std::uint64_t address = within(step, addresses[at(lane)]);
    Addresses one{};
    one[at(lane)] = address;
    warp.locate(one, lane_bit(lane), {.space = Space::shared, .bytes = 8, .kind = AccessKind::write, .reads = false});
    warp.block().shared.written.set(static_cast<std::size_t>(address - shared_begin), 8, false);
    warp.block().mbarriers.erase(address);
  });
}

// attribute bits: what else an arrive or a wait does.
enum : std::uint32_t {
  drops = 1,
  expects_bytes = 2,
  no_complete = 4,
  only_expects = 8,
  relaxed = 16,
  completes_bytes = 32,
  for_parity = 64
};

void arrive(Warp& warp, const Step& step, Mask lanes) {
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  const bool expects = (step.attribute & (expects_bytes | only_expects | completes_bytes)) != 0;
  for_each_lane(lanes, [&](int lane) {
    const NamedMBarrier named = find_mbarrier(warp, step.memory.space, addresses[at(lane)], lane);
    MBarrier& mbarrier = *named.mbarrier;
    const auto operand = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(1), lane));
    const std::uint32_t count = expects ? 1 : operand;
    for (std::size_t i = 0; i < step.outputs; ++i)
      set_lane_value(warp.registers, step.output(i), lane, token(mbarrier));
    ++warp.launch().progress;
    if ((step.attribute & completes_bytes) != 0) {
      expect_bytes(warp, named, -std::int64_t{operand}, lane_bit(lane));
      return named.block->check_mbarrier(named.address, mbarrier);
    }
    check_last_phase_seen(warp, named, lane_bit(lane));
    if (expects)
      expect_bytes(warp, named, operand, lane_bit(lane));
    if ((step.attribute & only_expects) != 0)
      return;
    if (count == 0 || count > mbarrier.pending)
      warp.fail(FaultKind::barrier, lane_bit(lane),
                fmt::format("{} arrivals at the mbarrier at shared {:#x}, whose phase waits for {}", count,
                            named.address, mbarrier.pending));
    if ((step.attribute & no_complete) != 0 && count == mbarrier.pending)
      warp.fail(FaultKind::barrier, lane_bit(lane), "an mbarrier.arrive.noComplete completes the phase");
    if ((step.attribute & drops) != 0)
      mbarrier.expected -= count;
    mbarrier.pending -= count;
    mbarrier.arriving.join((step.attribute & relaxed) == 0 ? warp.clock : warp.fence_released);
    named.block->check_mbarrier(named.address, mbarrier);
  });
  warp.tick();
}

// Waiting: inputs address, then the state an arrive returned or a parity.
bool has_completed(const Warp& warp, const Step& step, const MBarrier& mbarrier, int lane) {
  const std::uint64_t operand = lane_value(warp.registers, step.input(1), lane);
  if ((step.attribute & for_parity) != 0) {
    if (operand > 1)
      warp.fail(FaultKind::bad_operand, lane_bit(lane),
                fmt::format("a wait for parity {}, which is neither 0 nor 1", operand));
    return (mbarrier.phase & 1) != operand;
  }
  const auto phase = static_cast<std::uint32_t>(operand >> 32);
  if (mbarrier.phase > phase + 1)
    warp.fail(FaultKind::barrier, lane_bit(lane),
              fmt::format("a wait for phase {} of an mbarrier that is in phase {}: only the current and the last one "
                          "can be waited for",
                          phase, mbarrier.phase));
  return mbarrier.phase != phase;
}

// Returns the lanes whose phase has completed, and lets the warp know what those who arrived knew.
Mask test(Warp& warp, const Step& step, Mask lanes) {
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  Mask completed = 0;
  for_each_lane(lanes, [&](int lane) {
    const NamedMBarrier named =
        find_mbarrier(warp, step.memory.space, addresses[at(lane)], lane, AccessKind::strong_read);
    MBarrier& mbarrier = *named.mbarrier;
    if (named.block != &warp.block())
      warp.fail(FaultKind::barrier, lane_bit(lane), "only an mbarrier of the own block can be waited for");
    if (!has_completed(warp, step, mbarrier, lane))
      return;
    completed |= lane_bit(lane);
    mbarrier.seen = true;
    // Who waits relaxed learns nothing before a fence (9.7.13.15.16).
    ((step.attribute & relaxed) == 0 ? warp.clock : warp.fence_acquiring).join(mbarrier.completed);
  });
  return completed;
}

void test_wait(Warp& warp, const Step& step, Mask lanes) {
  const Mask completed = test(warp, step, lanes);
  warp.registers.set_predicate(step.output(0), lanes, completed);
  // Whoever polls lets the others go on.
  if (completed != lanes)
    warp.end_turn();
}

// Suspends the lanes while none of them has anything to be told; the time limit passes only when nobody can run.
void try_wait(Warp& warp, const Step& step, Mask lanes) {
  const Mask completed = test(warp, step, lanes);
  if (completed == 0 && !(warp.released() && warp.launch().time_limit_passed)) {
    const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
    warp.wait(PathState::mbarrier, within(step, addresses[at(std::countr_zero(lanes))]));
    return;
  }
  warp.registers.set_predicate(step.output(0), lanes, completed);
  warp.advance();
}

void pending_count(Warp& warp, const Step& step, Mask lanes) {
  for_each_lane(lanes, [&](int lane) {
    set_lane_value(warp.registers, step.output(0), lane,
                   lane_value(warp.registers, step.input(0), lane) & 0xFFFF'FFFFU);
  });
}

void decode_arrive(StepBuilder& builder) {
  Step& step = builder.step;
  const bool expects = builder.has("expect_tx");
  std::size_t next = 0;
  const std::string& operation = builder.modifiers()[1];
  const bool only_expects_bytes = operation == "expect_tx";
  const bool only_completes_bytes = operation == "complete_tx";
  if (!only_expects_bytes && !only_completes_bytes && builder.operand(0).kind != ptx::Operand::Kind::address)
    builder.output(builder.operand(next++), 64);
  builder.address(builder.operand(next++), step.memory.space);
  if (builder.operands() > next)
    builder.input(builder.operand(next++), 32);
  else if (expects || only_completes_bytes)
    builder.refuse("the bytes to expect are missing");
  else
    builder.constant_input(1, Bank::word);
  step.attribute = (operation == "arrive_drop" ? drops : 0U) | (expects ? expects_bytes : 0U) |
                   (builder.has("noComplete") ? no_complete : 0U) | (only_expects_bytes ? only_expects : 0U) |
                   (only_completes_bytes ? completes_bytes : 0U) | (builder.has("relaxed") ? relaxed : 0U);
  step.handler = arrive;
}

void decode_wait(StepBuilder& builder) {
  Step& step = builder.step;
  // A fourth operand limits the time.
  builder.expect_operands(3, 4);
  const bool parity = builder.has("parity");
  builder.output(builder.operand(0), 1);
  builder.address(builder.operand(1), step.memory.space);
  builder.input(builder.operand(2), parity ? 32 : 64);
  step.attribute = (parity ? for_parity : 0U) | (builder.has("relaxed") ? relaxed : 0U);
  const bool suspends = builder.modifiers()[1] == "try_wait";
  step.handler = suspends ? try_wait : test_wait;
  step.flow = suspends ? Flow::control : Flow::straight;
}

void decode_mbarrier(StepBuilder& builder) {
  Step& step = builder.step;
  step.category = Category::barrier;
  if (builder.modifiers().size() < 2)
    builder.refuse("the simulator has no handler for it");
  const bool shared = builder.has("shared") || builder.has("shared::cta") || builder.has("shared::cluster");
  step.memory.space = shared ? Space::shared : Space::generic;
  const std::string& operation = builder.modifiers()[1];
  if (operation == "init") {
    builder.expect_operands(2, 2);
    builder.address(builder.operand(0), step.memory.space);
    builder.input(builder.operand(1), 32);
    step.handler = initialize;
  } else if (operation == "inval") {
    builder.expect_operands(1, 1);
    builder.address(builder.operand(0), step.memory.space);
    step.handler = invalidate;
  } else if (operation == "arrive" || operation == "arrive_drop" || operation == "expect_tx" ||
             operation == "complete_tx") {
    decode_arrive(builder);
  } else if (operation == "test_wait" || operation == "try_wait") {
    decode_wait(builder);
  } else if (operation == "pending_count") {
    builder.output(builder.operand(0), 32);
    builder.input(builder.operand(1), 64);
    step.handler = pending_count;
  } else {
    builder.refuse("the simulator has no handler for it");
  }
}

}  // namespace

void register_mbarriers(Registry& registry) { registry.add("mbarrier", decode_mbarrier); }

}  // namespace attentune::simulator
