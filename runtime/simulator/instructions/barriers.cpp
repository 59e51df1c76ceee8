// bar, barrier, bar.warp.sync, fence, membar: PTX ISA 9.0, sections 9.7.13.1, 9.7.13.2 and 9.7.13.4.
#include <bit>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/mbarrier_access.h"
#include "runtime/simulator/execution/ordering.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/cluster.h"
#include "runtime/simulator/instructions/lane_values.h"

namespace attentune::simulator {

namespace {

enum class Reduction : std::uint32_t { none, popc, conjunction, disjunction };

// The value an operand has in all these lanes; barriers take no other.
std::uint32_t uniform(const Warp& warp, const Slot& slot, Mask lanes) {
  const Words& values = warp.registers.words[slot.at];
  const std::uint32_t first = values[static_cast<std::size_t>(std::countr_zero(lanes))];
  for_each_lane(lanes, [&](int lane) {
    if (values[static_cast<std::size_t>(lane)] != first)
      warp.fail(FaultKind::barrier, lanes, fmt::format("{} differs between lanes", warp.register_name(slot)));
  });
  return first;
}

// Inputs: the barrier, the threads (0: all of the block), and for a reduction the predicate.
std::size_t arrive(Warp& warp, const Step& step, Mask lanes) {
  const std::uint32_t id = uniform(warp, step.input(0), lanes);
  if (id >= barriers_per_block)
    warp.fail(FaultKind::barrier, lanes, fmt::format("barrier {} does not exist: there are 16", id));
  const std::uint32_t expected = uniform(warp, step.input(1), lanes);
  if (expected % warp_size != 0)
    warp.fail(FaultKind::barrier, lanes,
              fmt::format("barrier {} is used for {} threads, which is no multiple of the warp size", id, expected));
  Barrier& barrier = warp.block().barriers[id];
  if (barrier.in_use && barrier.expected != expected)
    warp.fail(FaultKind::barrier, lanes,
              fmt::format("barrier {} is used for {} threads while others use it for {}", id, expected,
                          barrier.expected == 0 ? warp.block().threads() : barrier.expected));
  if ((barrier.lanes[warp.index()] & lanes) != 0)
    warp.fail(FaultKind::barrier, lanes,
              fmt::format("this warp arrives a second time at barrier {} before it completes", id));
  barrier.in_use = true;
  barrier.expected = expected;
  barrier.lanes[warp.index()] |= lanes;
  // Aligned arrivals count whole warps, exited lanes included; where everybody is meant, those who are left count.
  const bool whole = step.convergence == Convergence::aligned && expected != 0;
  barrier.arrived += whole ? warp_size : static_cast<std::uint32_t>(std::popcount(lanes));
  if (expected != 0 && barrier.arrived > expected)
    warp.fail(FaultKind::barrier, lanes,
              fmt::format("{} threads have come to barrier {}, which is used for {}", barrier.arrived, id, expected));
  barrier.clock.join(warp.clock);
  warp.tick();
  return id;
}

void arrive_only(Warp& warp, const Step& step, Mask lanes) {
  const std::size_t id = arrive(warp, step, lanes);
  warp.advance();
  warp.block().check_barrier(id);
}

void finish_reduction(Warp& warp, const Step& step, Mask lanes, const Barrier& barrier) {
  const auto reduction = static_cast<Reduction>(step.attribute);
  if (reduction == Reduction::none)
    return;
  if (reduction == Reduction::popc) {
    for_each_lane(lanes,
                  [&](int lane) { set_lane_value(warp.registers, step.output(0), lane, barrier.last_true_count); });
    return;
  }
  const bool holds = reduction == Reduction::conjunction ? barrier.last_true_count == barrier.last_lanes
                                                         : barrier.last_true_count != 0;
  warp.registers.set_predicate(step.output(0), lanes, holds ? every_lane : 0);
}

void synchronize(Warp& warp, const Step& step, Mask lanes) {
  if (warp.released()) {
    const Barrier& barrier = warp.block().barriers[uniform(warp, step.input(0), lanes)];
    warp.clock.join(barrier.last_clock);
    warp.all_synchronized();
    finish_reduction(warp, step, lanes, barrier);
    warp.advance();
    return;
  }
  const std::size_t id = arrive(warp, step, lanes);
  Barrier& barrier = warp.block().barriers[id];
  barrier.lane_count += static_cast<std::uint32_t>(std::popcount(lanes));
  if (static_cast<Reduction>(step.attribute) != Reduction::none)
    barrier.true_count += static_cast<std::uint32_t>(std::popcount(warp.registers.predicate(step.input(2)) & lanes));
  warp.wait(PathState::barrier, id);
  warp.block().check_barrier(id);
}

Reduction reduction_named(const StepBuilder& builder) {
  if (builder.has("popc"))
    return Reduction::popc;
  if (builder.has("and"))
    return Reduction::conjunction;
  if (builder.has("or"))
    return Reduction::disjunction;
  builder.refuse("the simulator has no handler for it");
}

// bar.sync a{, b}; bar.arrive a, b; bar.red.op d, a{, b}, c; barrier{.cta}.* the same, per thread without .aligned.
void decode_block_barrier(StepBuilder& builder) {
  Step& step = builder.step;
  step.category = Category::barrier;
  step.flow = Flow::control;
  if (builder.modifiers().front() == "bar" || builder.has("aligned"))
    step.convergence = Convergence::aligned;
  const bool red = builder.has("red");
  const bool only_arrives = builder.has("arrive");
  if (!red && !only_arrives && !builder.has("sync"))
    builder.refuse("the simulator has no handler for it");
  std::size_t next = 0;
  if (red) {
    const Reduction reduction = reduction_named(builder);
    step.attribute = static_cast<std::uint32_t>(reduction);
    builder.output(builder.operand(next++), reduction == Reduction::popc ? 32 : 1);
  }
  builder.expect_operands(red ? 3 : only_arrives ? 2 : 1, red ? 4 : 2);
  builder.input(builder.operand(next++), 32);
  const bool counted = builder.operands() == next + (red ? 2U : 1U);
  if (counted)
    builder.input(builder.operand(next++), 32);
  else
    builder.constant_input(0, Bank::word);
  if (red)
    builder.input(builder.operand(next), 1);
  step.handler = only_arrives ? arrive_only : synchronize;
}

void synchronize_warp(Warp& warp, const Step& step, Mask lanes) {
  warp.wait_for_warp(uniform(warp, step.input(0), lanes));
}

void decode_bar(StepBuilder& builder) {
  const auto& modifiers = builder.modifiers();
  if (modifiers.size() > 1 && modifiers[1] == "cluster")
    return decode_cluster_barrier(builder);
  if (modifiers.size() > 1 && modifiers[1] == "warp") {
    builder.expect_operands(1, 1);
    builder.input(builder.operand(0), 32);
    builder.step.handler = synchronize_warp;
    builder.step.flow = Flow::control;
    builder.step.category = Category::barrier;
    return;
  }
  decode_block_barrier(builder);
}

void run_fence(Warp& warp, const Step& /*step*/, Mask /*lanes*/) { fence(warp); }

void run_mbarrier_fence(Warp& warp, const Step& /*step*/, Mask /*lanes*/) {
  publish_mbarriers(warp);
  fence(warp);
}

void run_proxy_fence(Warp& warp, const Step& /*step*/, Mask /*lanes*/) { fence_proxy(warp); }

void do_nothing(Warp& /*warp*/, const Step& /*step*/, Mask /*lanes*/) {}

// fence.proxy.async{.global, .shared::{cta, cluster}}; other proxies are not modelled: nothing here goes through them.
void decode_proxy_fence(StepBuilder& builder) {
  const std::string_view proxy = builder.modifiers().size() > 2 ? std::string_view(builder.modifiers()[2]) : "";
  builder.step.category = Category::fence;
  builder.step.handler = proxy.starts_with("async") ? run_proxy_fence : do_nothing;
}

void decode_fence(StepBuilder& builder) {
  if (builder.has("proxy"))
    return decode_proxy_fence(builder);
  builder.expect_operands(0, 0);
  builder.step.handler = builder.has("mbarrier_init") ? run_mbarrier_fence : run_fence;
  builder.step.category = Category::fence;
}

}  // namespace

void register_barriers(Registry& registry) {
  registry.add("bar", decode_bar);
  registry.add("barrier", decode_bar);
  registry.add("fence", decode_fence);
  registry.add("membar", decode_fence);
}

}  // namespace attentune::simulator
