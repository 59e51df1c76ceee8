// barrier.cluster, mapa, getctarank, griddepcontrol: PTX ISA 9.0, sections 9.7.13.3, 9.7.9.23, 9.7.9.24, 9.7.13.13.
#include "runtime/simulator/instructions/cluster.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/cluster.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

// attribute of an arrival: whether it releases. One that does not passes on what a fence before it released.
void arrive(Warp& warp, const Step& step, Mask lanes) {
  if ((warp.cluster_arrived & lanes) != 0)
    warp.fail(FaultKind::barrier, warp.cluster_arrived & lanes,
              "these lanes arrive at the cluster's barrier a second time without a wait between");
  Cluster& cluster = warp.block().cluster();
  warp.cluster_arrived |= lanes;
  warp.cluster_generation = cluster.barrier.generation;
  cluster.barrier.arrived += static_cast<std::uint32_t>(std::popcount(lanes));
  cluster.barrier.clock.join(step.attribute != 0 ? warp.clock : warp.fence_released);
  warp.tick();
  cluster.check_barrier();
}

void wait(Warp& warp, const Step& /*step*/, Mask lanes) {
  if ((lanes & ~warp.cluster_arrived) != 0)
    warp.fail(FaultKind::barrier, lanes & ~warp.cluster_arrived,
              "these lanes wait at the cluster's barrier without having arrived");
  const ClusterBarrier& barrier = warp.block().cluster().barrier;
  if (barrier.generation == warp.cluster_generation)
    return warp.wait(PathState::cluster_barrier, 0);
  warp.cluster_arrived &= ~lanes;
  warp.clock.join(barrier.last_clock);
  warp.advance();
}

std::uint64_t place_in(std::uint32_t rank, std::uint64_t address, bool generic) noexcept {
  const std::uint64_t placed = cluster_address(rank, address);
  return generic ? window_of(Space::shared) | placed : placed;
}

// attribute: whether the addresses are generic.
void map_address(Warp& warp, const Step& step, Mask lanes) {
  const std::uint32_t size = warp.block().cluster().size();
  for_each_lane(lanes, [&](int lane) {
    const auto rank = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(1), lane));
    if (rank >= size)
      warp.fail(FaultKind::bad_operand, lane_bit(lane), fmt::format("mapa to block {} of a cluster of {}", rank, size));
    const std::uint64_t address = lane_value(warp.registers, step.input(0), lane);
    set_lane_value(warp.registers, step.output(0), lane, place_in(rank, address, step.attribute != 0));
  });
}

// mapa{.shared::cluster}.{u32, u64} d, a, b
void decode_mapa(StepBuilder& builder) {
  const int bits = builder.last_modifier() == "u64" ? 64 : 32;
  builder.expect_operands(3, 3);
  builder.output(builder.operand(0), bits);
  builder.input(builder.operand(1), bits);
  builder.input(builder.operand(2), 32);
  builder.step.attribute = builder.has("shared::cluster") ? 0 : 1;
  builder.step.handler = map_address;
}

void find_rank(Warp& warp, const Step& step, Mask lanes) {
  for_each_lane(lanes, [&](int lane) {
    const std::uint64_t rank = within_window(lane_value(warp.registers, step.input(0), lane)) >> cluster_rank_shift;
    set_lane_value(warp.registers, step.output(0), lane, rank == 0 ? warp.block().rank() : rank - 1);
  });
}

// getctarank{.shared::cluster}.{u32, u64} d, a
void decode_getctarank(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  builder.output(builder.operand(0), 32);
  builder.input(builder.operand(1), builder.last_modifier() == "u64" ? 64 : 32);
  builder.step.handler = find_rank;
}

// Launches run one after the other, so every earlier one has ended.
void depend(Warp& /*warp*/, const Step& /*step*/, Mask /*lanes*/) {}

void decode_griddepcontrol(StepBuilder& builder) {
  if (!builder.has("wait") && !builder.has("launch_dependents"))
    builder.refuse("the simulator has no handler for it");
  builder.step.handler = depend;
  builder.step.category = Category::barrier;
}

}  // namespace

void decode_cluster_barrier(StepBuilder& builder) {
  builder.expect_operands(0, 0);
  Step& step = builder.step;
  step.category = Category::barrier;
  if (builder.has("arrive")) {
    step.attribute = builder.has("relaxed") ? 0 : 1;
    step.handler = arrive;
  } else if (builder.has("wait")) {
    step.handler = wait;
    step.flow = Flow::control;
  } else {
    builder.refuse("the simulator has no handler for it");
  }
}

void register_cluster(Registry& registry) {
  registry.add("mapa", decode_mapa);
  registry.add("getctarank", decode_getctarank);
  registry.add("griddepcontrol", decode_griddepcontrol);
}

}  // namespace attentune::simulator
