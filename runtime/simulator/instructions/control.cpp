// Branches and ends: PTX ISA 9.0, sections 9.7.12 and 9.7.19.
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"

namespace attentune::simulator {

namespace {

void branch(Warp& warp, const Step& step, Mask lanes) {
  warp.branch(step, static_cast<std::uint32_t>(step.offset), lanes);
}

// Lanes may part there.
void make_branch(Step& step, Handler handler) {
  step.handler = handler;
  step.flow = Flow::control;
  step.parts = true;
  step.category = Category::control;
}

void decode_bra(StepBuilder& builder) {
  builder.expect_operands(1, 1);
  builder.step.offset = builder.target(0);
  make_branch(builder.step, branch);
}

void branch_indexed(Warp& warp, const Step& step, Mask lanes) {
  const std::vector<std::int32_t>& table = warp.launch().kernel.branch_targets[step.attribute];
  const Words& indices = warp.registers.words[step.input(0).at];
  std::array<std::uint32_t, warp_size> targets{};
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    if (indices[at] >= table.size())
      warp.fail(FaultKind::bad_operand, lane_bit(lane),
                fmt::format("brx.idx takes label {} of a list of {}", indices[at], table.size()));
    targets[at] = static_cast<std::uint32_t>(table[indices[at]]);
  });
  warp.branch_each(step, targets, lanes);
}

void decode_brx(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  if (!builder.has("idx"))
    builder.refuse("the simulator has no handler for it");
  builder.input(builder.operand(0), 32);
  builder.step.attribute = builder.target_list(1);
  make_branch(builder.step, branch_indexed);
}

void exit_lanes(Warp& warp, const Step& /*step*/, Mask lanes) { warp.exit_lanes(lanes); }

void decode_exit(StepBuilder& builder) {
  builder.step.handler = exit_lanes;
  builder.step.flow = Flow::control;
  builder.step.category = Category::control;
}

void trap(Warp& warp, const Step& /*step*/, Mask lanes) {
  warp.fail(FaultKind::trapped, lanes, "the kernel gave up with a trap");
}

void decode_trap(StepBuilder& builder) {
  builder.step.handler = trap;
  builder.step.category = Category::control;
}

// Another warp's turn: time does not pass here.
void nanosleep(Warp& warp, const Step& /*step*/, Mask /*lanes*/) { warp.end_turn(); }

void decode_nanosleep(StepBuilder& builder) {
  builder.expect_operands(1, 1);
  builder.input(builder.operand(0), 32);
  builder.step.handler = nanosleep;
  builder.step.category = Category::control;
}

}  // namespace

void register_control(Registry& registry) {
  registry.add("bra", decode_bra);
  registry.add("brx", decode_brx);
  registry.add("ret", decode_exit);
  registry.add("exit", decode_exit);
  registry.add("trap", decode_trap);
  registry.add("brkpt", decode_trap);
  registry.add("nanosleep", decode_nanosleep);
}

}  // namespace attentune::simulator
