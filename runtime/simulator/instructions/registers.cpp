// setmaxnreg: PTX ISA 9.0, section 9.7.19.5.
#include <cstdint>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/execution/warpgroup.h"
#include "runtime/simulator/instructions/chapters.h"

namespace attentune::simulator {

namespace {

// attribute: the count, and in bit 31 whether it increases.
constexpr std::uint32_t increases = std::uint32_t{1} << 31;

void set_registers(Warp& warp, const Step& step, Mask lanes) {
  RegisterPool& pool = warp.block().registers;
  std::uint32_t& held = pool.held[warp.index()];
  const std::uint32_t wanted = step.attribute & ~increases;
  const bool more = (step.attribute & increases) != 0;
  if (held == 0)
    warp.fail(FaultKind::launch, lanes,
              "setmaxnreg in a kernel without .maxnreg, or .maxntid and .minnctapersm, has no effect");
  if (!warp.released()) {
    warp.block().warpgroups[warp.index() / warps_per_group].set_registers(warp);
    if (more ? held > wanted : held < wanted)
      warp.fail(
          FaultKind::bad_operand, lanes,
          fmt::format("setmaxnreg.{} to {} registers by a warp that holds {}", more ? "inc" : "dec", wanted, held));
  }
  if (!more) {
    pool.free += held - wanted;
    held = wanted;
    warp.advance();
    return warp.block().release(PathState::registers, 0);
  }
  if (wanted - held > pool.free)
    return warp.wait(PathState::registers, 0);
  pool.free -= wanted - held;
  held = wanted;
  warp.advance();
}

void decode_setmaxnreg(StepBuilder& builder) {
  const auto& m = builder.modifiers();
  builder.expect_operands(1, 1);
  const std::uint64_t count = builder.immediate(0);
  if (m.size() != 5 || (m[1] != "inc" && m[1] != "dec") || m[2] != "sync" || m[3] != "aligned" || m[4] != "u32")
    builder.refuse("the simulator has no handler for it");
  if (count < 24 || count > 256 || count % 8 != 0)
    builder.refuse("its count is no multiple of 8 from 24 to 256");
  Step& step = builder.step;
  step.attribute = static_cast<std::uint32_t>(count) | (m[1] == "inc" ? increases : 0U);
  step.handler = set_registers;
  step.flow = Flow::control;
  step.strict = true;
  step.category = Category::control;
}

}  // namespace

void register_registers(Registry& registry) { registry.add("setmaxnreg", decode_setmaxnreg); }

}  // namespace attentune::simulator
