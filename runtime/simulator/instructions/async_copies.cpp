// cp.async and its groups: PTX ISA 9.0, section 9.7.9.25.3.
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "runtime/simulator/execution/async_copy.h"
#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/mbarrier_access.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/bulk_copies.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

using Kind = ptx::Operand::Kind;

// Inputs: source address, destination address, then what limits the bytes read. offset and attribute: of the source
// and the destination address. memory.element_bytes: the bytes written.
enum class Limit : std::uint8_t { none, bytes, ignored };

template <Limit limit>
void copy(Warp& warp, const Step& step, Mask lanes) {
  const std::uint32_t bytes = step.memory.element_bytes;
  const Addresses sources = warp.addresses(step.input(0), step.offset, lanes);
  const Addresses destinations = warp.addresses(step.input(1), static_cast<std::int32_t>(step.attribute), lanes);
  std::array<std::uint32_t, warp_size> read{};
  Mask whole = 0;
  Located from{};
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    read[at] = bytes;
    if constexpr (limit == Limit::bytes)
      read[at] = static_cast<std::uint32_t>(lane_value(warp.registers, step.input(2), lane));
    if constexpr (limit == Limit::ignored)
      read[at] = has_lane(warp.registers.predicate(step.input(2)), lane) ? 0 : bytes;
    if (read[at] > bytes)
      warp.fail(FaultKind::bad_operand, lane_bit(lane),
                fmt::format("the src-size of cp.async is {}, more than its {} bytes", read[at], bytes));
    whole |= read[at] == bytes ? lane_bit(lane) : 0;
  });
  const auto locate_sources = [&](Mask some, std::uint32_t count) {
    const Located located = warp.locate(
        sources, some, {.space = Space::global, .bytes = count, .kind = AccessKind::read, .asynchronous = true});
    for_each_lane(some,
                  [&](int lane) { from[static_cast<std::size_t>(lane)] = located[static_cast<std::size_t>(lane)]; });
  };
  if (whole != 0)
    locate_sources(whole, bytes);
  for_each_lane(lanes & ~whole, [&](int lane) {
    // The address must be aligned to the whole copy even where a part is read.
    const auto at = static_cast<std::size_t>(lane);
    if (sources[at] % bytes != 0 && read[at] != 0)
      warp.fail(FaultKind::misaligned, lane_bit(lane),
                fmt::format("address {:#x} is not a multiple of the {} bytes copied", sources[at], bytes));
    for (std::uint32_t i = 0; i < read[at]; ++i) {
      Addresses one{};
      one[at] = sources[at] + i;
      const Located located = warp.locate(
          one, lane_bit(lane), {.space = Space::global, .bytes = 1, .kind = AccessKind::read, .asynchronous = true});
      if (i == 0)
        from[at] = located[at];
    }
  });
  const Located to = warp.locate(
      destinations, lanes,
      {.space = step.memory.space, .bytes = bytes, .kind = AccessKind::write, .asynchronous = true, .reads = false});
  for_each_lane(lanes, [&](int lane) {
    const auto at = static_cast<std::size_t>(lane);
    issue_copy(warp, {.source = from[at],
                      .destination = to[at],
                      .shared_offset = static_cast<std::size_t>(to[at] - warp.block().shared.bytes.data()),
                      .bytes = static_cast<std::uint8_t>(bytes),
                      .read = static_cast<std::uint8_t>(read[at]),
                      .lane = static_cast<std::uint8_t>(lane)});
  });
}

// cp.async.{ca, cg}.shared.global{.hints} [dst], [src], bytes{, src-size | ignore-src}{, policy};
void decode_copy(StepBuilder& builder) {
  builder.expect_operands(3, 5);
  for (std::size_t i = 2; i < builder.modifiers().size(); ++i) {
    const std::string_view modifier = builder.modifiers()[i];
    if (modifier != "ca" && modifier != "cg" && modifier != "shared" && modifier != "shared::cta" &&
        modifier != "global" && !modifier.starts_with("L2::"))
      builder.refuse("a modifier is not served");
  }
  const std::uint64_t bytes = builder.immediate(2);
  if (bytes != 16 && (builder.has("cg") || (bytes != 4 && bytes != 8)))
    builder.refuse("its size is neither 4 nor 8 nor 16, or not 16 with .cg");
  Step& step = builder.step;
  builder.address(builder.operand(1), Space::global);
  const std::int64_t source_offset = step.offset;
  builder.address(builder.operand(0), Space::shared);
  step.attribute = static_cast<std::uint32_t>(step.offset);
  step.offset = source_offset;
  step.memory = {.space = Space::shared, .element_bytes = static_cast<std::uint8_t>(bytes)};
  step.category = Category::async_copy;
  step.handler = copy<Limit::none>;
  // What follows the size tells itself apart by its type; a 64-bit register is a cache policy.
  if (builder.operands() > 3) {
    const ptx::Operand& limit = builder.operand(3);
    const int bits = limit.kind == Kind::reg ? builder.register_bits(limit) : 32;
    if (bits == 64)
      return;
    builder.input(limit, bits);
    step.handler = bits == 1 ? copy<Limit::ignored> : copy<Limit::bytes>;
  }
}

void commit(Warp& warp, const Step& /*step*/, Mask lanes) { commit_copies(warp, lanes); }

void wait_group(Warp& warp, const Step& step, Mask lanes) { wait_for_groups(warp, lanes, step.attribute); }

void wait_all(Warp& warp, const Step& /*step*/, Mask lanes) { wait_for_all_copies(warp, lanes); }

// 9.7.13.15.15: without .noinc the pending count rises now, so that the arrival leaves the phase's count as it was.
void arrive(Warp& warp, const Step& step, Mask lanes) {
  const Addresses addresses = warp.addresses(step.input(0), step.offset, lanes);
  Epoch epoch = warp.copy_epoch();
  epoch.time = close_batch(warp);
  // Lanes that name one mbarrier arrive together.
  for (Mask rest = lanes; rest != 0;) {
    const int first = std::countr_zero(rest);
    const std::uint64_t address = addresses[static_cast<std::size_t>(first)];
    Mask same = 0;
    for_each_lane(rest,
                  [&](int lane) { same |= addresses[static_cast<std::size_t>(lane)] == address ? lane_bit(lane) : 0; });
    rest &= ~same;
    const auto count = static_cast<std::uint32_t>(std::popcount(same));
    MBarrier& mbarrier = *find_mbarrier(warp, step.memory.space, address, first).mbarrier;
    if (step.attribute != 0)
      mbarrier.pending += count;
    const PendingArrival arrival{
        .warp = warp.index(), .lanes = same, .copies = epoch, .mbarrier = within_window(address), .count = count};
    if (count > mbarrier.pending)
      warp.fail(FaultKind::barrier, same,
                fmt::format("{} arrivals at the mbarrier at shared {:#x}, whose phase waits for {}", count, address,
                            mbarrier.pending));
    if (warp.launch().options.asynchrony == Asynchrony::eager)
      warp.block().complete(arrival);
    else
      warp.block().late.push_back(arrival);
  }
}

void decode_arrive(StepBuilder& builder) {
  builder.expect_operands(1, 1);
  Step& step = builder.step;
  step.memory.space = builder.has("shared") || builder.has("shared::cta") ? Space::shared : Space::generic;
  builder.address(builder.operand(0), step.memory.space);
  step.attribute = builder.has("noinc") ? 0 : 1;
  step.handler = arrive;
}

void decode_cp(StepBuilder& builder) {
  const auto& modifiers = builder.modifiers();
  if (builder.has("bulk"))
    return decode_bulk_copy(builder);
  if (modifiers.size() < 3 || modifiers[1] != "async")
    builder.refuse("the simulator has no handler for it");
  Step& step = builder.step;
  step.category = Category::async_copy;
  if (modifiers[2] == "commit_group") {
    step.handler = commit;
  } else if (modifiers[2] == "wait_all") {
    step.handler = wait_all;
  } else if (modifiers[2] == "wait_group") {
    builder.expect_operands(1, 1);
    step.attribute = static_cast<std::uint32_t>(builder.immediate(0));
    step.handler = wait_group;
  } else if (modifiers[2] == "mbarrier") {
    decode_arrive(builder);
  } else {
    decode_copy(builder);
  }
}

}  // namespace

void register_async_copies(Registry& registry) { registry.add("cp", decode_cp); }

}  // namespace attentune::simulator
