// cp.reduce.async.bulk.tensor (PTX ISA 9.0, section 9.7.9.25.5): a box of shared memory combined with what lies in
// the tensor, by values worked out by hand. Its rows and swizzles are those of stores, which hopper_bulk_test.cpp
// tests.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "tests/simulator/hopper_run.h"

using namespace attentune::simulator;

namespace {

using Half = std::uint16_t;

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A tensor of three rows of 16 bytes, 32 apart, and a box of two rows from the second column of the second row on: its
// last column is outside.
constexpr std::uint32_t row_bytes = 16;
constexpr std::uint32_t row_stride = 32;
constexpr std::uint32_t box_bytes = 2 * row_bytes;

struct Reduction {
  TensorElement element = TensorElement::u32;
  std::string operation = "add";
  Options options;
  // The threads that issue it, with a predicate for them in %p1.
  std::string_view issuers = "setp.eq.u32 %p1, %t, 0;\n";
};

template <class T>
HopperRun run_of(const Reduction& reduction, const std::vector<T>& box, const std::vector<T>& tensor) {
  const auto columns = static_cast<std::uint32_t>(row_bytes / sizeof(T));
  HopperRun run;
  run.options = reduction.options;
  run.body = copy_in(box_bytes) +
             fmt::format(
                 "{}@%p1 cp.reduce.async.bulk.tensor.2d.global.shared::cta.{}.tile.bulk_group [%map, {{1, 1}}], [%m];\n"
                 "@%p1 cp.async.bulk.commit_group;\n@%p1 cp.async.bulk.wait_group 0;\n",
                 reduction.issuers, reduction.operation);
  run.in.resize(box.size() * sizeof(T));
  std::memcpy(run.in.data(), box.data(), run.in.size());
  run.out.resize(tensor.size() * sizeof(T));
  std::memcpy(run.out.data(), tensor.data(), run.out.size());
  run.map = {.address = reinterpret_cast<std::uintptr_t>(run.out.data()),
             .element = reduction.element,
             .rank = 2,
             .size = {columns, 3},
             .stride_bytes = {row_stride},
             .box = {columns, 2}};
  return run;
}

// Every element of the box is `value`, every one of the tensor `memory`: the one of its last row and column,
// afterwards.
template <class T>
T reduced(TensorElement element, const std::string& operation, T memory, T value) {
  HopperRun run = run_of({.element = element, .operation = operation}, std::vector<T>(box_bytes / sizeof(T), value),
                         std::vector<T>(3 * row_stride / sizeof(T), memory));
  run.run();
  return run.values<T>()[(2 * row_stride + row_bytes) / sizeof(T) - 1];
}

}  // namespace

TEST_CASE("hopper: a tensor reduction reaches its box, as far as it is inside of the tensor") {
  const std::vector<std::uint32_t> box{1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<std::uint32_t> tensor{10, 20, 30, 40, 0, 0,  0,   0,   50, 60, 70, 80,
                                          0,  0,  0,  0,  9, 90, 100, 110, 0,  0,  0,  0};
  const std::vector<std::uint32_t> want{10, 20, 30, 40, 0, 0,  0,   0,   50, 61, 72, 83,
                                        0,  0,  0,  0,  9, 95, 106, 117, 0,  0,  0,  0};
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    HopperRun run = run_of({.options = {.asynchrony = asynchrony}}, box, tensor);
    run.run();
    CHECK(run.values<std::uint32_t>() == want);
  }
}

TEST_CASE("hopper: a tensor reduction takes its type from the map") {
  using E = TensorElement;
  CHECK(reduced<std::uint32_t>(E::u32, "add", 0xFFFFFFFF, 2) == 1);
  CHECK(reduced<std::uint32_t>(E::u32, "min", 0xFFFFFFFF, 2) == 2);
  CHECK(reduced<std::uint32_t>(E::u32, "max", 0xFFFFFFFF, 2) == 0xFFFFFFFF);
  CHECK(reduced<std::uint32_t>(E::u32, "inc", 8, 9) == 9);
  CHECK(reduced<std::uint32_t>(E::u32, "inc", 9, 9) == 0);
  CHECK(reduced<std::uint32_t>(E::u32, "dec", 0, 9) == 9);
  CHECK(reduced<std::uint32_t>(E::u32, "dec", 9, 9) == 8);
  CHECK(reduced<std::uint32_t>(E::u32, "and", 0xFF00, 0x0FF0) == 0x0F00);
  CHECK(reduced<std::uint32_t>(E::u32, "or", 0xFF00, 0x0FF0) == 0xFFF0);
  CHECK(reduced<std::uint32_t>(E::u32, "xor", 0xFF00, 0x0FF0) == 0xF0F0);
  CHECK(reduced<std::int32_t>(E::s32, "add", -5, 3) == -2);
  CHECK(reduced<std::int32_t>(E::s32, "min", -1, 2) == -1);
  CHECK(reduced<std::int32_t>(E::s32, "max", -1, 2) == 2);
  CHECK(reduced<std::uint64_t>(E::u64, "add", 0xFFFFFFFF, 2) == 0x100000001);
  CHECK(reduced<std::uint64_t>(E::u64, "min", 0xFFFFFFFFFFFFFFFF, 2) == 2);
  CHECK(reduced<std::uint64_t>(E::u64, "xor", 0xFF0000000000, 0x0FF000000001) == 0xF0F000000001);
  CHECK(reduced<std::int64_t>(E::s64, "min", -1, 2) == -1);
  CHECK(reduced<std::int64_t>(E::s64, "max", -1, 2) == 2);
  CHECK(reduced<float>(E::f32, "add", 1.5F, 0.25F) == 1.75F);
  CHECK(reduced<double>(E::f64, "add", 1.5, 0.25) == 1.75);
  // 1 + 2, the lesser and the greater of 1 and -2.
  CHECK(reduced<Half>(E::f16, "add", 0x3C00, 0x4000) == 0x4200);
  CHECK(reduced<Half>(E::f16, "min", 0x3C00, 0xC000) == 0xC000);
  CHECK(reduced<Half>(E::f16, "max", 0x3C00, 0xC000) == 0x3C00);
  CHECK(reduced<Half>(E::bf16, "add", 0x3F80, 0x4000) == 0x4040);
  CHECK(reduced<Half>(E::bf16, "min", 0x3F80, 0xC000) == 0xC000);
  CHECK(reduced<Half>(E::bf16, "max", 0x3F80, 0xC000) == 0x3F80);
}

TEST_CASE("hopper: tensor reductions of several warps are no race") {
  const std::vector<std::uint32_t> box(8, 3);
  HopperRun run = run_of({.issuers = "and.b32 %r10, %t, 31; setp.eq.u32 %p1, %r10, 0;\n"}, box,
                         std::vector<std::uint32_t>(24, 100));
  run.run();
  CHECK(run.values<std::uint32_t>()[9] == 100 + 4 * 3);
}

TEST_CASE("hopper: what there is no reduction of") {
  const auto fault = [](TensorElement element, const std::string& operation) {
    HopperRun run = run_of({.element = element, .operation = operation}, std::vector<std::uint32_t>(8, 1),
                           std::vector<std::uint32_t>(24, 1));
    return run.fault();
  };
  constexpr std::string_view none = "bad operand: there is no such reduction of the tensor's type";
  CHECK(fault(TensorElement::u32, "add") == "");
  CHECK(says(run_of<std::uint8_t>({.element = TensorElement::u8}, std::vector<std::uint8_t>(box_bytes),
                                  std::vector<std::uint8_t>(3 * row_stride))
                 .fault(),
             "bad operand: a tensor of 8- or 16-bit integers cannot be reduced into"));
  CHECK(says(fault(TensorElement::f32, "and"), none));
  CHECK(says(fault(TensorElement::f32, "min"), none));
  CHECK(says(fault(TensorElement::s32, "inc"), none));
  CHECK(says(fault(TensorElement::s32, "xor"), none));
  CHECK(says(fault(TensorElement::s64, "add"), none));
  // Without a tensor the type stands in the opcode, so that the decoder knows.
  for (const std::string operation : {"and.f32", "min.f32", "inc.s32", "xor.s64", "add.s64"}) {
    CAPTURE(operation);
    HopperRun run{.body = "cp.reduce.async.bulk.global.shared::cta.bulk_group." + operation + " [%out], [%m], 16;"};
    CHECK_THROWS_AS(run.run(), attentune::RefusalError);
  }
}
