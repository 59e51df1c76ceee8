// mma.sync, ldmatrix, stmatrix, movmatrix: PTX ISA 9.0, section 9.7.14.5.
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/simulator/execution/warp.h"
#include "runtime/simulator/instructions/chapters.h"
#include "runtime/simulator/numerics/matrix_move.h"
#include "runtime/simulator/numerics/mma.h"

namespace attentune::simulator {

namespace {

using numerics::MatrixType;
using numerics::MmaForm;

// Step::attribute of an mma.
std::uint32_t packed(const MmaForm& form) noexcept {
  return static_cast<std::uint32_t>(form.k) | static_cast<std::uint32_t>(form.a) << 8 |
         static_cast<std::uint32_t>(form.b) << 12 | static_cast<std::uint32_t>(form.f16_accumulator) << 16;
}

MmaForm unpacked(std::uint32_t bits) noexcept {
  return {.k = static_cast<int>(bits & 0xFF),
          .a = static_cast<MatrixType>(bits >> 8 & 0xF),
          .b = static_cast<MatrixType>(bits >> 12 & 0xF),
          .f16_accumulator = (bits >> 16 & 1) != 0};
}

void multiply(Warp& warp, const Step& step, Mask /*lanes*/) {
  const MmaForm form = unpacked(step.attribute);
  const auto a_count = static_cast<std::size_t>(form.a_registers());
  const auto b_count = static_cast<std::size_t>(form.b_registers());
  const auto c_count = static_cast<std::size_t>(form.c_registers());
  std::array<Words, 4> a;
  std::array<Words, 4> b;
  std::array<Words, 4> c;
  for (std::size_t i = 0; i < a_count; ++i)
    a[i] = warp.registers.words[step.input(i).at];
  for (std::size_t i = 0; i < b_count; ++i)
    b[i] = warp.registers.words[step.input(a_count + i).at];
  for (std::size_t i = 0; i < c_count; ++i)
    c[i] = warp.registers.words[step.input(a_count + b_count + i).at];
  numerics::mma(form, std::span(a).first(a_count), std::span(b).first(b_count), std::span(c).first(c_count),
                std::span(c).first(c_count));
  for (std::size_t i = 0; i < c_count; ++i)
    warp.registers.words[step.output(i).at] = c[i];
}

std::optional<MatrixType> type_named(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, MatrixType>, 5> table{{{"f16", MatrixType::f16},
                                                                          {"bf16", MatrixType::bf16},
                                                                          {"tf32", MatrixType::tf32},
                                                                          {"e4m3", MatrixType::e4m3},
                                                                          {"e5m2", MatrixType::e5m2}}};
  for (const auto& [known, type] : table) {
    if (known == name)
      return type;
  }
  return std::nullopt;
}

// mma.sync.aligned.m16n8kK.row.col.D.A.B.C
void decode_mma(StepBuilder& builder) {
  const auto& m = builder.modifiers();
  if (m.size() != 10 || m[1] != "sync" || m[2] != "aligned" || !m[3].starts_with("m16n8k") || m[4] != "row" ||
      m[5] != "col" || m[6] != m[9] || (m[6] != "f32" && m[6] != "f16"))
    builder.refuse("the simulator has no handler for it");
  const auto a = type_named(m[7]);
  const auto b = type_named(m[8]);
  const std::string_view k = std::string_view(m[3]).substr(6);
  const bool half = a == MatrixType::f16 || a == MatrixType::bf16;
  const bool eight_bits = a == MatrixType::e4m3 || a == MatrixType::e5m2;
  const bool same = eight_bits ? b == MatrixType::e4m3 || b == MatrixType::e5m2 : a == b;
  const bool shape = half ? k == "8" || k == "16" : eight_bits ? k == "16" || k == "32" : k == "4" || k == "8";
  const bool f16_accumulator = m[6] == "f16";
  if (!a || !b || !same || !shape || (f16_accumulator && (a == MatrixType::bf16 || a == MatrixType::tf32)))
    builder.refuse("the simulator has no handler for it");
  MmaForm form{.a = *a, .b = *b, .f16_accumulator = f16_accumulator};
  form.k = k == "4" ? 4 : k == "8" ? 8 : k == "16" ? 16 : 32;
  builder.expect_operands(4, 4);
  builder.outputs(builder.operand(0), 32, static_cast<std::size_t>(form.c_registers()));
  builder.inputs(builder.operand(1), 32, static_cast<std::size_t>(form.a_registers()));
  builder.inputs(builder.operand(2), 32, static_cast<std::size_t>(form.b_registers()));
  builder.inputs(builder.operand(3), 32, static_cast<std::size_t>(form.c_registers()));
  Step& step = builder.step;
  step.attribute = packed(form);
  step.handler = multiply;
  step.strict = true;
  step.category = Category::mma;
}

// The row addresses of one matrix as the lanes 0-7 of an access: a phase of the hardware's own.
struct Rows {
  Addresses addresses{};
  static constexpr Mask lanes = 0xFF;
};

Rows rows_of(const Addresses& addresses, int matrix) noexcept {
  Rows rows;
  for (int row = 0; row < 8; ++row)
    rows.addresses[static_cast<std::size_t>(row)] =
        addresses[static_cast<std::size_t>(numerics::address_lane(matrix, row))];
  return rows;
}

constexpr std::uint32_t transposed = 1;

// The lanes that give addresses: 8 a matrix.
Mask address_lanes(int matrices) noexcept { return matrices == 4 ? every_lane : lane_bit(8 * matrices) - 1; }

void load_matrix(Warp& warp, const Step& step, Mask /*lanes*/) {
  const int matrices = step.outputs;
  const Addresses addresses = warp.addresses(step.input(0), step.offset, address_lanes(matrices));
  std::array<Words, 4> loaded;
  for (int matrix = 0; matrix < matrices; ++matrix) {
    const Rows from = rows_of(addresses, matrix);
    const Located located =
        warp.locate(from.addresses, Rows::lanes, {.space = step.memory.space, .bytes = 16, .kind = AccessKind::read});
    numerics::Matrix8x8 rows;
    for (std::size_t row = 0; row < 8; ++row)
      std::memcpy(rows[row].data(), located[row], 16);
    loaded[static_cast<std::size_t>(matrix)] = numerics::load_matrix(rows, step.attribute == transposed);
  }
  // The destination may hold an address of a later matrix.
  for (std::size_t matrix = 0; matrix < step.outputs; ++matrix)
    warp.registers.words[step.output(matrix).at] = loaded[matrix];
}

void store_matrix(Warp& warp, const Step& step, Mask /*lanes*/) {
  const int matrices = step.inputs - 1;
  const Addresses addresses = warp.addresses(step.input(0), step.offset, address_lanes(matrices));
  for (int matrix = 0; matrix < matrices; ++matrix) {
    const Slot& fragment = step.input(static_cast<std::size_t>(matrix) + 1);
    const numerics::Matrix8x8 rows =
        numerics::store_matrix(warp.registers.words[fragment.at], step.attribute == transposed);
    const Rows to = rows_of(addresses, matrix);
    const Located located =
        warp.locate(to.addresses, Rows::lanes,
                    {.space = step.memory.space, .bytes = 16, .kind = AccessKind::write, .reads = false});
    for (std::size_t row = 0; row < 8; ++row)
      std::memcpy(located[row], rows[row].data(), 16);
  }
}

// {ld,st}matrix.sync.aligned.m8n8.x{1,2,4}{.trans}{.shared{::cta}}.b16
std::size_t decode_move(StepBuilder& builder) {
  const auto& m = builder.modifiers();
  builder.expect_operands(2, 2);
  if (m.size() < 6 || m[1] != "sync" || m[2] != "aligned" || m[3] != "m8n8" || m.back() != "b16")
    builder.refuse("the simulator has no handler for it");
  Step& step = builder.step;
  for (std::size_t i = 5; i + 1 < m.size(); ++i) {
    if (m[i] == "trans")
      step.attribute = transposed;
    else if (m[i] == "shared" || m[i] == "shared::cta")
      step.memory.space = Space::shared;
    else
      builder.refuse("a modifier is not served");
  }
  step.strict = true;
  if (m[4] != "x1" && m[4] != "x2" && m[4] != "x4")
    builder.refuse("it moves neither 1 nor 2 nor 4 matrices");
  return static_cast<std::size_t>(m[4][1] - '0');
}

void decode_ldmatrix(StepBuilder& builder) {
  const std::size_t matrices = decode_move(builder);
  builder.outputs(builder.operand(0), 32, matrices);
  builder.address(builder.operand(1), builder.step.memory.space);
  builder.step.handler = load_matrix;
  builder.step.category = Category::matrix_load;
  builder.step.checks_inputs = matrices == 4;  // the addresses of the other lanes are not read
}

void decode_stmatrix(StepBuilder& builder) {
  const std::size_t matrices = decode_move(builder);
  builder.address(builder.operand(0), builder.step.memory.space);
  builder.inputs(builder.operand(1), 32, matrices);
  builder.step.handler = store_matrix;
  builder.step.category = Category::matrix_store;
}

void transpose(Warp& warp, const Step& step, Mask /*lanes*/) {
  warp.registers.words[step.output(0).at] = numerics::transpose_matrix(warp.registers.words[step.input(0).at]);
}

void decode_movmatrix(StepBuilder& builder) {
  builder.expect_operands(2, 2);
  builder.output(builder.operand(0), 32);
  builder.input(builder.operand(1), 32);
  builder.step.handler = transpose;
  builder.step.category = Category::warp_exchange;
}

}  // namespace

void register_matrix(Registry& registry) {
  registry.add("mma", decode_mma);
  registry.add("ldmatrix", decode_ldmatrix);
  registry.add("stmatrix", decode_stmatrix);
  registry.add("movmatrix", decode_movmatrix);
}

}  // namespace attentune::simulator
