// Matrix instructions of warps as kernels run them: PTX ISA 9.0, section 9.7.14.5. What a lane holds is tested at
// length in numerics_matrix_move_test.cpp and numerics_mma_test.cpp.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

// Two neighbours of 16 bits in one register.
std::uint32_t pair(std::uint32_t low) { return (low + 1) << 16 | low; }

// Lane t has the elements 2t and 2t + 1 in %r3, the address of row t & 7 in %r6 and of row t in %r8; %r2 is that of
// word t of the tile.
constexpr std::string_view begin = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 4, %r1;
    shl.b32 %r3, %t, 1; add.u32 %r4, %r3, 1; shl.b32 %r4, %r4, 16; or.b32 %r3, %r3, %r4;
    and.b32 %r5, %t, 7; mad.lo.u32 %r6, %r5, 16, %r1; mad.lo.u32 %r8, %t, 16, %r1;)";

// %r0 of every lane.
std::vector<std::uint32_t> lanes(std::string_view body) {
  KernelRun kernel{.body = fmt::format("{}{}\nst.global.b32 [%mine], %r0;", begin, body),
                   .globals = ".shared .align 16 .b8 tile[512];"};
  kernel.run();
  return kernel.out;
}

}  // namespace

TEST_CASE("9.7.14.5.15 ldmatrix") {
  // Row r of the 8x8 matrix holds 8r..8r+7: lane l gets elements 2l and 2l + 1.
  const std::string fill =
      "st.shared.u32 [%r2], %r3; add.u32 %r9, %r3, 0x00400040; st.shared.u32 [%r2+128], %r9;\n"
      "bar.warp.sync -1;\n";
  CHECK(lanes(fill + "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r0}, [%r6];")[5] == pair(10));
  // Transposed: lane l holds rows 2(l%4), 2(l%4)+1 of column l/4.
  CHECK(lanes(fill + "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r0}, [%r6];")[5] == (25U << 16 | 17U));
  // The rows of the second matrix are where lanes 8 to 15 say.
  CHECK(lanes(fill + "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r10, %r0}, [%r8];")[5] == pair(64 + 10));
  CHECK(lanes(fill + "and.b32 %r11, %t, 15; mad.lo.u32 %r11, %r11, 16, %r1;"
                     "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r12, %r13, %r0}, [%r11];")[5] == pair(64 + 10));
}

TEST_CASE("9.7.14.5.16 stmatrix") {
  const std::string read = "bar.warp.sync -1; ld.shared.u32 %r0, [%r2];";
  const std::string read_second = "bar.warp.sync -1; ld.shared.u32 %r0, [%r2+128];";
  CHECK(lanes("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r6], {%r3};" + read)[5] == pair(10));
  // Row r where row 7 - r was: word 5 is of row 1, columns 2 and 3.
  CHECK(lanes("sub.u32 %r5, 7, %r5; mad.lo.u32 %r6, %r5, 16, %r1;"
              "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r6], {%r3};" +
              read)[5] == pair(8 * 6 + 2));
  CHECK(lanes("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%r6], {%r3};" + read)[5] == (25U << 16 | 17U));
  CHECK(lanes("add.u32 %r9, %r3, 0x00400040;"
              "stmatrix.sync.aligned.m8n8.x2.shared.b16 [%r8], {%r3, %r9};" +
              read_second)[5] == pair(64 + 10));
  CHECK(lanes("add.u32 %r9, %r3, 0x00400040;"
              "stmatrix.sync.aligned.m8n8.x4.shared.b16 [%r8], {%r9, %r3, %r9, %r9};" +
              read_second)[5] == pair(10));
}

TEST_CASE("9.7.14.5.17 movmatrix transposes") {
  CHECK(lanes("movmatrix.sync.aligned.m8n8.trans.b16 %r0, %r3;")[5] == (25U << 16 | 17U));
}

TEST_CASE("9.7.14.5 mma of every type and shape: a row of ones and a column of twos, and what was there") {
  struct Product {
    std::string_view form;  // shape, and types of D, A, B, C
    std::uint32_t ones;     // in one register of A
    std::uint32_t twos;     // of B
    int a;                  // registers
    int b;
    int k;
  };
  constexpr std::uint32_t half = 0x3C003C00, bfloat = 0x3F803F80, e4m3 = 0x38383838, e5m2 = 0x3C3C3C3C,
                          single = 0x3F800000;
  constexpr std::uint32_t two_halves = 0x40004000, two_e4m3 = 0x40404040, two_e5m2 = 0x40404040,
                          two_single = 0x40000000;
  constexpr std::array products{
      Product{"m16n8k8.row.col.f32.f16.f16.f32", half, two_halves, 2, 1, 8},
      Product{"m16n8k16.row.col.f32.f16.f16.f32", half, two_halves, 4, 2, 16},
      Product{"m16n8k8.row.col.f16.f16.f16.f16", half, two_halves, 2, 1, 8},
      Product{"m16n8k16.row.col.f16.f16.f16.f16", half, two_halves, 4, 2, 16},
      Product{"m16n8k8.row.col.f32.bf16.bf16.f32", bfloat, two_halves, 2, 1, 8},
      Product{"m16n8k16.row.col.f32.bf16.bf16.f32", bfloat, two_halves, 4, 2, 16},
      Product{"m16n8k4.row.col.f32.tf32.tf32.f32", single, two_single, 2, 1, 4},
      Product{"m16n8k8.row.col.f32.tf32.tf32.f32", single, two_single, 4, 2, 8},
      Product{"m16n8k16.row.col.f32.e4m3.e4m3.f32", e4m3, two_e4m3, 2, 1, 16},
      Product{"m16n8k32.row.col.f32.e4m3.e5m2.f32", e4m3, two_e5m2, 4, 2, 32},
      Product{"m16n8k32.row.col.f32.e5m2.e4m3.f32", e5m2, two_e4m3, 4, 2, 32},
      Product{"m16n8k32.row.col.f16.e4m3.e4m3.f16", e4m3, two_e4m3, 4, 2, 32},
  };
  const auto registers = [](std::string_view name, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += fmt::format("{}{}", i == 0 ? "" : ", ", name);
    return text;
  };
  for (const Product& one : products) {
    CAPTURE(std::string(one.form));
    const bool in_halves = one.form.ends_with(".f16");
    const auto sum = static_cast<float>(2 * one.k) + 0.5F;
    const std::uint32_t c = in_halves ? 0x38003800 : std::bit_cast<std::uint32_t>(0.5F);
    const auto d =
        lanes_of(fmt::format("mov.b32 %r1, {:#x}; mov.b32 %r2, {:#x}; mov.b32 %r3, {:#x};\n"
                             "mma.sync.aligned.{} {{%r4, {}%r0}}, {{{}}}, {{{}}}, {{{}}};",
                             one.ones, one.twos, c, one.form, in_halves ? "" : "%r5, %r6, ", registers("%r1", one.a),
                             registers("%r2", one.b), registers("%r3", in_halves ? 2 : 4)));
    // 16.5, 32.5 and 64.5 in f16.
    const std::uint32_t halves = one.k == 8 ? 0x4C204C20 : one.k == 16 ? 0x50105010 : 0x54085408;
    CHECK(d[17] == (in_halves ? halves : std::bit_cast<std::uint32_t>(sum)));
  }
}
