// Forms of bulk copies: which operands they have, in which order.
#include "runtime/simulator/instructions/bulk_copies.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "runtime/simulator/execution/bulk_issue.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/lane_values.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

// An address is two inputs: its base and what is added to it.
void add_address(StepBuilder& builder, ptx::Operand operand, Space space) {
  operand.elements.clear();
  builder.address(operand, space);
  builder.constant_input(static_cast<std::uint64_t>(builder.step.offset), Bank::wide);
  builder.step.offset = 0;
}

// Reads a lane's inputs one after the other.
class Inputs {
 public:
  Inputs(const Warp& warp, const Step& step, int lane) : warp_(warp), step_(step), lane_(lane) {}
  std::uint64_t value() noexcept { return lane_value(warp_.registers, step_.input(next_++), lane_); }
  std::uint64_t address() noexcept {
    const bool narrow = step_.input(next_).bank == Bank::word;
    const std::uint64_t sum = value() + value();
    return narrow ? sum & 0xFFFF'FFFFU : sum;
  }
  std::uint32_t word() noexcept { return static_cast<std::uint32_t>(value()); }
  Coordinates coordinates(std::uint32_t rank) noexcept {
    Coordinates result{};
    for (std::size_t d = 0; d < rank; ++d)
      result[d] = static_cast<std::int32_t>(word());
    return result;
  }

 private:
  const Warp& warp_;
  const Step& step_;
  int lane_;
  std::size_t next_ = 0;
};

// Step::attribute: the rank of a tensor (0: none), whether there is a mask, whether the source is shared memory, and
// how it reduces.
struct Form {
  std::uint32_t rank = 0;
  bool multicast = false;
  bool between_blocks = false;
  StoreMode mode;

  [[nodiscard]] std::uint32_t packed() const noexcept {
    return rank | (multicast ? 8U : 0U) | (between_blocks ? 16U : 0U) |
           static_cast<std::uint32_t>(mode.reduction) << 8 | static_cast<std::uint32_t>(mode.type) << 16;
  }
  [[nodiscard]] static Form of(const Step& step) noexcept {
    const std::uint32_t bits = step.attribute;
    return {.rank = bits & 7,
            .multicast = (bits & 8) != 0,
            .between_blocks = (bits & 16) != 0,
            .mode = {.reduction = static_cast<Reduction>(bits >> 8 & 0xFF),
                     .type = static_cast<ReductionType>(bits >> 16 & 0xFF)}};
  }
};

void load(Warp& warp, const Step& step, Mask lanes) {
  const Form form = Form::of(step);
  for_each_lane(lanes, [&](int lane) {
    Inputs inputs(warp, step, lane);
    LoadTarget target{.shared = inputs.address()};
    const std::uint64_t source = inputs.address();
    const Coordinates at = inputs.coordinates(form.rank);
    const std::uint32_t bytes = form.rank == 0 ? inputs.word() : 0;
    target.mbarrier = inputs.address();
    if (form.multicast) {
      target.mask = static_cast<std::uint16_t>(inputs.value());
      if (target.mask == 0)
        warp.fail(FaultKind::bad_operand, lane_bit(lane), "a multicast to no block");
    }
    if (form.rank != 0)
      issue_tensor_load(warp, lane, target, source, at, form.rank);
    else
      issue_bulk_load(warp, lane, target, source, bytes, form.between_blocks);
  });
}

void store(Warp& warp, const Step& step, Mask lanes) {
  const Form form = Form::of(step);
  for_each_lane(lanes, [&](int lane) {
    Inputs inputs(warp, step, lane);
    const std::uint64_t destination = inputs.address();
    const Coordinates at = inputs.coordinates(form.rank);
    const std::uint64_t shared = inputs.address();
    if (form.rank != 0)
      issue_tensor_store(warp, lane, shared, destination, at, form.rank, form.mode);
    else
      issue_bulk_store(warp, lane, shared, destination, inputs.word(), form.mode);
  });
}

void commit(Warp& warp, const Step& /*step*/, Mask lanes) { commit_stores(warp, lanes); }

// attribute: the groups that may be left, and in bit 31 whether only their reads are waited for.
constexpr std::uint32_t reads_only = std::uint32_t{1} << 31;

void wait(Warp& warp, const Step& step, Mask lanes) {
  wait_for_stores(warp, lanes, step.attribute & ~reads_only, (step.attribute & reads_only) != 0);
}

void prefetch(Warp& /*warp*/, const Step& /*step*/, Mask /*lanes*/) {}

std::uint32_t rank_of(const StepBuilder& builder) {
  for (const std::string& modifier : builder.modifiers()) {
    if (modifier.size() == 2 && modifier[1] == 'd' && modifier[0] >= '1' && modifier[0] <= '5')
      return static_cast<std::uint32_t>(modifier[0] - '0');
  }
  builder.refuse("the number of its dimensions is missing");
}

// The coordinates of "[map, {a, b}]"; a 1-d one may stand without braces.
void add_coordinates(StepBuilder& builder, const ptx::Operand& operand, std::uint32_t rank) {
  if (operand.elements.size() != 1)
    builder.refuse("a tensor map and coordinates in brackets are expected");
  builder.inputs(operand.elements.front(), 32, rank);
}

// After the operands of a form: the policy that .L2::cache_hint announces.
void expect_policy(StepBuilder& builder, std::size_t next) {
  const bool hinted = builder.has("L2::cache_hint");
  builder.expect_operands(next + (hinted ? 1U : 0U), next + (hinted ? 1U : 0U));
  if (hinted)
    builder.input(builder.operand(next), 64);
}

void decode_load(StepBuilder& builder, Form form) {
  const std::size_t mbarrier = form.rank != 0 ? 2 : 3;
  add_address(builder, builder.operand(0), Space::shared);
  add_address(builder, builder.operand(1), form.between_blocks ? Space::shared : Space::global);
  if (form.rank != 0)
    add_coordinates(builder, builder.operand(1), form.rank);
  else
    builder.input(builder.operand(2), 32);
  add_address(builder, builder.operand(mbarrier), Space::shared);
  form.multicast = builder.has("multicast::cluster");
  if (form.multicast)
    builder.input(builder.operand(mbarrier + 1), 16);
  expect_policy(builder, mbarrier + (form.multicast ? 2U : 1U));
  builder.step.attribute = form.packed();
  builder.step.handler = load;
}

void decode_store(StepBuilder& builder, Form form) {
  add_address(builder, builder.operand(0), Space::global);
  if (form.rank != 0)
    add_coordinates(builder, builder.operand(0), form.rank);
  add_address(builder, builder.operand(1), Space::shared);
  if (form.rank == 0)
    builder.input(builder.operand(2), 32);
  expect_policy(builder, form.rank == 0 ? 3 : 2);
  builder.step.attribute = form.packed();
  builder.step.handler = store;
}

StoreMode reduction_of(const StepBuilder& builder, bool tensor) {
  using R = Reduction;
  using T = ReductionType;
  constexpr std::array<std::pair<std::string_view, R>, 8> operations{{{"add", R::add},
                                                                      {"min", R::min},
                                                                      {"max", R::max},
                                                                      {"inc", R::inc},
                                                                      {"dec", R::dec},
                                                                      {"and", R::conjunction},
                                                                      {"or", R::disjunction},
                                                                      {"xor", R::exclusive}}};
  constexpr std::array<std::pair<std::string_view, T>, 10> types{{{"u32", T::u32},
                                                                  {"b32", T::u32},
                                                                  {"s32", T::s32},
                                                                  {"u64", T::u64},
                                                                  {"b64", T::u64},
                                                                  {"s64", T::s64},
                                                                  {"f16", T::f16},
                                                                  {"bf16", T::bf16},
                                                                  {"f32", T::f32},
                                                                  {"f64", T::f64}}};
  StoreMode mode;
  for (const auto& [name, reduction] : operations) {
    if (builder.has(name))
      mode.reduction = reduction;
  }
  bool typed = tensor;  // a tensor map has the type
  for (const auto& [name, type] : types) {
    if (builder.last_modifier() == name && !tensor) {
      mode.type = type;
      typed = true;
    }
  }
  if (mode.reduction == Reduction::none || !typed)
    builder.refuse("its operation or its type is not served");
  if (!tensor && !is_reduction(mode.reduction, mode.type))
    builder.refuse("there is no such reduction of that type");
  return mode;
}

// What may stand between the mnemonic and the operands without meaning anything here, or was read by name.
bool is_known(std::string_view modifier) noexcept {
  constexpr std::array<std::string_view, 26> known{"cp",
                                                   "async",
                                                   "bulk",
                                                   "reduce",
                                                   "tensor",
                                                   "global",
                                                   "shared::cta",
                                                   "shared::cluster",
                                                   "tile",
                                                   "1d",
                                                   "2d",
                                                   "3d",
                                                   "4d",
                                                   "5d",
                                                   "L2",
                                                   "prefetch",
                                                   "bulk_group",
                                                   "L2::cache_hint",
                                                   "noftz",
                                                   "add",
                                                   "min",
                                                   "max",
                                                   "inc",
                                                   "dec",
                                                   "multicast::cluster",
                                                   "mbarrier::complete_tx::bytes"};
  constexpr std::array<std::string_view, 13> more{"and", "or",  "xor", "u32", "s32",  "u64", "s64",
                                                  "b32", "b64", "f16", "f32", "bf16", "f64"};
  for (const std::string_view name : known) {
    if (name == modifier)
      return true;
  }
  for (const std::string_view name : more) {
    if (name == modifier)
      return true;
  }
  return false;
}

void decode_groups(StepBuilder& builder, bool waits) {
  Step& step = builder.step;
  builder.expect_operands(waits ? 1 : 0, waits ? 1 : 0);
  step.handler = waits ? wait : commit;
  if (waits)
    step.attribute = static_cast<std::uint32_t>(builder.immediate(0)) | (builder.has("read") ? reads_only : 0U);
}

}  // namespace

void decode_bulk_copy(StepBuilder& builder) {
  Step& step = builder.step;
  step.category = Category::async_copy;
  if (builder.has("commit_group") || builder.has("wait_group"))
    return decode_groups(builder, builder.has("wait_group"));
  for (const std::string& modifier : builder.modifiers()) {
    if (!is_known(modifier))
      builder.refuse("the simulator does not serve ." + modifier);
  }
  if (builder.has("prefetch")) {
    step.handler = prefetch;
    return;
  }
  const bool tensor = builder.has("tensor");
  const bool reduces = builder.has("reduce");
  Form form;
  if (tensor)
    form.rank = rank_of(builder);
  if (reduces)
    form.mode = reduction_of(builder, tensor);
  if (builder.has("bulk_group"))
    return decode_store(builder, form);
  if (reduces || !builder.has("mbarrier::complete_tx::bytes"))
    builder.refuse("the simulator has no handler for it");
  form.between_blocks = builder.has("shared::cta") && !builder.has("global");
  decode_load(builder, form);
}

}  // namespace attentune::simulator
