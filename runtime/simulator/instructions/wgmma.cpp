// wgmma: PTX ISA 9.0, sections 9.7.15.5 and 9.7.15.7.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/simulator/execution/block.h"
#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/execution/warpgroup.h"
#include "runtime/simulator/instructions/chapters.h"

namespace attentune::simulator {

namespace {

using numerics::MatrixType;

Warpgroup& warpgroup_of(Warp& warp) noexcept { return warp.block().warpgroups[warp.index() / warps_per_group]; }

// What all lanes have; descriptors and scale-d are the warp's.
std::uint64_t uniform(const Warp& warp, const Slot& slot, std::string_view what) {
  const Wides& values = warp.registers.wides[slot.at];
  if (std::ranges::any_of(values, [&](std::uint64_t value) { return value != values.front(); }))
    warp.fail(FaultKind::bad_operand, warp.live(),
              fmt::format("the descriptor of {} ({}) differs between lanes", what, warp.register_name(slot)));
  return values.front();
}

bool uniform_predicate(const Warp& warp, const Slot& slot) {
  const Mask holds = warp.registers.predicate(slot);
  if (holds != 0 && holds != every_lane)
    warp.fail(FaultKind::bad_operand, warp.live(),
              fmt::format("scale-d ({}) differs between lanes", warp.register_name(slot)));
  return holds != 0;
}

void check_fenced(const Warp& warp, const Slot& slot, const char* role) {
  if (!warp.product_registers.touched_since_fence(slot))
    return;
  warp.fail(FaultKind::barrier, warp.live(),
            fmt::format("{} is {} of this wgmma and was read or written after the last wgmma.fence",
                        warp.register_name(slot), role));
}

// D may still be under way, of operations of the same shape: those are ordered among themselves.
void take_accumulators(Warp& warp, const Step& step, const Product& product, std::uint32_t group) {
  const auto shape = static_cast<std::uint32_t>(step.outputs) + 1;
  ProductRegisters& use = warp.product_registers;
  for (std::size_t i = 0; i < step.outputs; ++i) {
    const Slot& slot = step.output(i);
    check_fenced(warp, slot, "an accumulator");
    const bool pending = use.pending(slot);
    if (pending && use.shape(slot) != shape)
      warp.fail(
          FaultKind::barrier, warp.live(),
          fmt::format("{} is an accumulator of this wgmma and belongs to another of another shape that is under way",
                      warp.register_name(slot)));
    if (product.scale_d && !pending && warp.registers.written[slot.number] != every_lane)
      warp.fail(FaultKind::uninitialized_register, ~warp.registers.written[slot.number],
                fmt::format("{} is added to before anything was written to it", warp.register_name(slot)));
    use.take(slot, group, shape);
  }
}

void take_fragments(Warp& warp, const Step& step, std::uint32_t group) {
  ProductRegisters& use = warp.product_registers;
  for (std::size_t i = 0; i < 4; ++i) {
    const Slot& slot = step.input(i);
    check_fenced(warp, slot, "a part of A");
    if (use.pending(slot) && use.shape(slot) != 0)
      warp.fail(FaultKind::barrier, warp.live(),
                fmt::format("{} is a part of A of this wgmma and an accumulator of another that is under way",
                            warp.register_name(slot)));
    use.take(slot, group, 0);
  }
}

// Inputs: A (four registers or a descriptor), B's descriptor, scale-d.
void issue(Warp& warp, const Step& step, Mask /*lanes*/) {
  const ProductForm form = ProductForm::unpacked(step.attribute);
  const std::size_t b = form.a_in_registers ? 4 : 1;
  if (!warp.product_registers.ever_fenced())
    warp.fail(FaultKind::barrier, warp.live(), "no wgmma.fence stands before the first wgmma of this warp");
  Product product{.step = &step,
                  .step_index = warp.step_index(),
                  .a = form.a_in_registers ? 0 : uniform(warp, step.input(0), "A"),
                  .b = uniform(warp, step.input(b), "B"),
                  .scale_d = uniform_predicate(warp, step.input(b + 1))};
  Warpgroup& group = warpgroup_of(warp);
  const std::uint32_t number = group.committed(warp) + 1;
  take_accumulators(warp, step, product, number);
  if (form.a_in_registers)
    take_fragments(warp, step, number);
  group.issue(warp, std::move(product));
}

void fence(Warp& warp, const Step& /*step*/, Mask /*lanes*/) { warp.product_registers.fence(); }

void commit(Warp& warp, const Step& /*step*/, Mask /*lanes*/) { warpgroup_of(warp).commit(warp); }

void wait(Warp& warp, const Step& step, Mask /*lanes*/) {
  if (!warpgroup_of(warp).wait(warp, step.attribute))
    return warp.wait(PathState::warpgroup, warp.index() / warps_per_group);
  warp.advance();
}

std::optional<MatrixType> type_named(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, MatrixType>, 4> table{
      {{"f16", MatrixType::f16}, {"bf16", MatrixType::bf16}, {"e4m3", MatrixType::e4m3}, {"e5m2", MatrixType::e5m2}}};
  for (const auto& [known, type] : table) {
    if (known == name)
      return type;
  }
  return std::nullopt;
}

// "m64n128k16": n, 0 when it is no shape of the type.
int n_of(std::string_view shape, MatrixType type) noexcept {
  const std::string_view tail = numerics::bits_of(type) == 8 ? "k32" : "k16";
  if (!shape.starts_with("m64n") || !shape.ends_with(tail))
    return 0;
  shape.remove_prefix(4);
  shape.remove_suffix(tail.size());
  int n = 0;
  const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), n);
  return error == std::errc{} && end == shape.data() + shape.size() && n >= 8 && n <= 256 && n % 8 == 0 ? n : 0;
}

bool negates(const StepBuilder& builder, std::size_t operand) {
  const auto scale = static_cast<std::int64_t>(builder.immediate(operand));
  if (scale != 1 && scale != -1)
    builder.refuse("imm-scale is neither 1 nor -1");
  return scale == -1;
}

bool transposes(const StepBuilder& builder, std::size_t operand) {
  const std::uint64_t value = builder.immediate(operand);
  if (value > 1)
    builder.refuse("imm-trans is neither 0 nor 1");
  return value == 1;
}

// wgmma.mma_async.sync.aligned.SHAPE.D.A.B d, {a | a-desc}, b-desc, scale-d, scale-a, scale-b{, {trans-a,} trans-b};
void decode_product(StepBuilder& builder) {
  const auto& m = builder.modifiers();
  if (m.size() != 8 || m[2] != "sync" || m[3] != "aligned" || (m[5] != "f32" && m[5] != "f16"))
    builder.refuse("the simulator has no handler for it");
  const std::optional<MatrixType> a = type_named(m[6]);
  const std::optional<MatrixType> b = type_named(m[7]);
  if (!a || !b || numerics::bits_of(*a) != numerics::bits_of(*b) || (numerics::bits_of(*a) == 16 && *a != *b) ||
      (*a == MatrixType::bf16 && m[5] == "f16"))
    builder.refuse("its types are not served");
  const bool wide = numerics::bits_of(*a) == 16;
  ProductForm form{.a = *a, .b = *b};
  form.a_in_registers = builder.operand(1).kind == ptx::Operand::Kind::vector;
  form.shape.n = n_of(m[4], *a);
  form.shape.k = wide ? 16 : 32;
  form.shape.f16_accumulator = m[5] == "f16";
  if (form.shape.n == 0)
    builder.refuse("its shape is not served");
  const std::size_t transposes_given = !wide ? 0 : form.a_in_registers ? 1 : 2;
  builder.expect_operands(6 + transposes_given, 6 + transposes_given);
  form.shape.negate_a = negates(builder, 4);
  form.shape.negate_b = negates(builder, 5);
  form.a_mn_major = transposes_given == 2 && transposes(builder, 6);
  form.b_mn_major = transposes_given != 0 && transposes(builder, 5 + transposes_given);
  builder.outputs(builder.operand(0), 32, static_cast<std::size_t>(form.shape.d_registers()));
  if (form.a_in_registers)
    builder.inputs(builder.operand(1), 32, 4);
  else
    builder.input(builder.operand(1), 64);
  builder.input(builder.operand(2), 64);
  builder.input(builder.operand(3), 1);
  Step& step = builder.step;
  step.attribute = form.packed();
  step.handler = issue;
  step.writes_validity = true;
  step.takes_registers = true;
  step.strict = true;
  step.category = Category::mma;
}

void decode_wgmma(StepBuilder& builder) {
  Step& step = builder.step;
  step.category = Category::barrier;
  const std::string_view operation = builder.modifiers().size() > 1 ? std::string_view(builder.modifiers()[1]) : "";
  if (operation == "mma_async")
    return decode_product(builder);
  if (operation == "fence") {
    step.handler = fence;
  } else if (operation == "commit_group") {
    step.handler = commit;
  } else if (operation == "wait_group") {
    builder.expect_operands(1, 1);
    step.attribute = static_cast<std::uint32_t>(builder.immediate(0));
    step.handler = wait;
    step.flow = Flow::control;
  } else {
    builder.refuse("the simulator has no handler for it");
  }
}

}  // namespace

std::uint32_t ProductForm::packed() const noexcept {
  const auto flag = [](bool set, int bit) { return static_cast<std::uint32_t>(set) << bit; };
  return static_cast<std::uint32_t>(shape.n) | static_cast<std::uint32_t>(shape.k) << 9 |
         flag(shape.f16_accumulator, 16) | flag(shape.negate_a, 17) | flag(shape.negate_b, 18) |
         flag(a_in_registers, 19) | flag(a_mn_major, 20) | flag(b_mn_major, 21) | static_cast<std::uint32_t>(a) << 24 |
         static_cast<std::uint32_t>(b) << 28;
}

ProductForm ProductForm::unpacked(std::uint32_t bits) noexcept {
  const auto flag = [bits](int bit) { return (bits >> bit & 1) != 0; };
  ProductForm form{.a = static_cast<MatrixType>(bits >> 24 & 0xF),
                   .b = static_cast<MatrixType>(bits >> 28),
                   .a_in_registers = flag(19),
                   .a_mn_major = flag(20),
                   .b_mn_major = flag(21)};
  form.shape.n = static_cast<int>(bits & 0x1FF);
  form.shape.k = static_cast<int>(bits >> 9 & 0x7F);
  form.shape.f16_accumulator = flag(16);
  form.shape.negate_a = flag(17);
  form.shape.negate_b = flag(18);
  return form;
}

void register_wgmma(Registry& registry) { registry.add("wgmma", decode_wgmma); }

}  // namespace attentune::simulator
