// Each group of instruction forms as a kernel runs it, with values worked out by hand. Sections of PTX ISA 9.0.
// The functions behind them have tests of their own; what is checked here is operands, types and the way there.
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// Word 0 of `result` after the body.
std::uint32_t first(const std::string& body, const char* result = "%r0") { return lanes_of(body, result)[0]; }

}  // namespace

TEST_CASE("9.7.1 integer arithmetic") {
  CHECK(first("mov.u32 %r1, 0xFFFFFFFF; add.u32 %r0, %r1, 2;") == 1);
  CHECK(first("mov.u32 %r1, 5; sub.s32 %r0, %r1, 7;") == 0xFFFFFFFE);
  CHECK(first("mov.u32 %r1, 0x10000; mul.lo.u32 %r0, %r1, 0x10001;") == 0x10000);
  CHECK(first("mov.u32 %r1, 0x10000; mul.hi.u32 %r0, %r1, 0x10001;") == 1);
  CHECK(first("mov.u32 %r1, -1; mul.wide.s32 %rd1, %r1, 2; cvt.u32.u64 %r0, %rd1;") == 0xFFFFFFFE);
  CHECK(first("mov.u32 %r1, -1; mul.wide.u32 %rd1, %r1, 2; shr.u64 %rd1, %rd1, 32; cvt.u32.u64 %r0, %rd1;") == 1);
  CHECK(first("mov.u32 %r1, 3; mad.lo.s32 %r0, %r1, 4, 5;") == 17);
  CHECK(first("mov.u32 %r1, -7; div.s32 %r0, %r1, 2;") == static_cast<std::uint32_t>(-3));
  CHECK(first("mov.u32 %r1, -7; rem.s32 %r0, %r1, 2;") == static_cast<std::uint32_t>(-1));
  CHECK(first("mov.u32 %r1, -7; min.s32 %r0, %r1, 2;") == static_cast<std::uint32_t>(-7));
  CHECK(first("mov.u32 %r1, -7; min.u32 %r0, %r1, 2;") == 2);
  CHECK(first("mov.u32 %r1, -7; abs.s32 %r0, %r1;") == 7);
  CHECK(first("mov.u32 %r1, 0xF0; popc.b32 %r0, %r1;") == 4);
  CHECK(first("mov.u32 %r1, 0xF0; clz.b32 %r0, %r1;") == 24);
  CHECK(first("mov.u32 %r1, 0xABCD; bfe.u32 %r0, %r1, 4, 8;") == 0xBC);
  CHECK(first("mov.u32 %r1, 0xABCD; bfe.s32 %r0, %r1, 4, 8;") == 0xFFFFFFBC);
  CHECK(first("mov.u32 %r1, 0xF; bfi.b32 %r0, %r1, 0, 8, 4;") == 0xF00);
  CHECK(first("mov.u16 %h1, 0xFFFF; add.u16 %h2, %h1, 2; cvt.u32.u16 %r0, %h2;") == 1);
}

TEST_CASE("9.7.3 floating point, and its approximations within their bounds") {
  CHECK(first("mov.f32 %f1, 0f3FC00000; add.f32 %f2, %f1, 0f40000000;", "%f2") == bits(3.5F));
  CHECK(first("mov.f32 %f1, 0f3FC00000; fma.rn.f32 %f2, %f1, %f1, 0f40000000;", "%f2") == bits(4.25F));
  CHECK(first("mov.f32 %f1, 0f3F800000; div.rn.f32 %f2, %f1, 0f40400000;", "%f2") == bits(1.0F / 3));
  CHECK(first("mov.f32 %f1, 0f7FC00000; max.f32 %f2, %f1, 0f40000000;", "%f2") == bits(2.0F));
  CHECK(first("mov.f32 %f1, 0f40000000; neg.f32 %f2, %f1;", "%f2") == bits(-2.0F));
  // 9.7.3.21: ex2 of -inf is +0 exactly, all else within 2 ulp.
  CHECK(first("mov.f32 %f1, 0fFF800000; ex2.approx.ftz.f32 %f2, %f1;", "%f2") == 0);
  const auto eight = first("mov.f32 %f1, 0f40400000; ex2.approx.ftz.f32 %f2, %f1;", "%f2");
  CHECK(eight >= bits(8.0F) - 4);
  CHECK(eight <= bits(8.0F) + 2);
}

TEST_CASE("9.7.4 half precision") {
  // 0x3C00 = 1, 0x4000 = 2 (f16); 0x3F80 = 1, 0x4000 = 2 (bf16).
  CHECK(first("mov.u32 %r1, 0x3C004000; add.rn.f16x2 %r0, %r1, %r1;") == 0x40004400);
  CHECK(first("mov.u32 %r1, 0x3F804000; fma.rn.bf16x2 %r0, %r1, %r1, %r1;") == 0x400040C0);
  CHECK(first("mov.u32 %r1, 0x3C00C000; max.f16x2 %r0, %r1, 0;") == 0x3C000000);
}

TEST_CASE("9.7.6 comparison and selection") {
  CHECK(first("mov.u32 %r1, -1; setp.lt.s32 %p1, %r1, 0; selp.b32 %r0, 10, 20, %p1;") == 10);
  CHECK(first("mov.u32 %r1, -1; setp.lt.u32 %p1, %r1, 0; selp.b32 %r0, 10, 20, %p1;") == 20);
  CHECK(first("mov.f32 %f1, 0f7FC00000; setp.ne.f32 %p1, %f1, %f1; selp.b32 %r0, 10, 20, %p1;") == 20);
  CHECK(first("mov.f32 %f1, 0f7FC00000; setp.neu.f32 %p1, %f1, %f1; selp.b32 %r0, 10, 20, %p1;") == 10);
  CHECK(first("mov.u32 %r1, 3; setp.eq.u32 %p1, %r1, 3; setp.eq.and.u32 %p2, %r1, 3, !%p1; selp.b32 %r0, 1, 2, %p2;") ==
        2);
}

TEST_CASE("9.7.8 logic and shift") {
  CHECK(first("mov.u32 %r1, 0xF0F0; lop3.b32 %r0, %r1, 0xFF00, 0xAAAA, 0x96;") == (0xF0F0 ^ 0xFF00 ^ 0xAAAA));
  CHECK(first("mov.u32 %r1, 1; shl.b32 %r0, %r1, 32;") == 0);
  CHECK(first("mov.u32 %r1, 0x80000000; shr.s32 %r0, %r1, 31;") == 0xFFFFFFFF);
  CHECK(first("mov.u32 %r1, 0x12345678; shf.l.wrap.b32 %r0, %r1, %r1, 8;") == 0x34567812);
  CHECK(first("mov.pred %p1, 1; not.pred %p2, %p1; selp.b32 %r0, 1, 2, %p2;") == 2);
}

TEST_CASE("9.7.9 mov, prmt, cvt") {
  CHECK(first("mov.u16 %h1, 0x1234; mov.u16 %h2, 0xABCD; mov.b32 %r0, {%h1, %h2};") == 0xABCD1234);
  CHECK(first("mov.u64 %rd1, 0x1122334455667788; mov.b64 {%r1, %r0}, %rd1;") == 0x11223344);
  CHECK(first("mov.u64 %rd1, 0x1122334455667788; mov.b64 {%r0, _}, %rd1;") == 0x55667788);
  CHECK(first("mov.u32 %r1, 0x33221100; prmt.b32 %r0, %r1, 0x77665544, 0x7531;") == 0x77553311);
  // 9.7.9.21: the first source is the high half.
  CHECK(first("mov.f32 %f1, 0f3F800000; cvt.rn.bf16x2.f32 %r0, %f1, 0f40000000;") == 0x3F804000);
  CHECK(first("mov.f32 %f1, 0f40200000; cvt.rni.s32.f32 %r0, %f1;") == 2);
  CHECK(first("mov.u32 %r1, -3; cvt.rn.f32.s32 %f2, %r1;", "%f2") == bits(-3.0F));
  CHECK(first("mov.u32 %r1, 0x1FF; cvt.s32.s8 %r0, %r1;") == 0xFFFFFFFF);
}

TEST_CASE("9.7.9.8 ld and st: narrow types, vectors, spaces and generic addresses") {
  constexpr const char* tile = ".shared .align 16 .b8 tile[512]; .const .align 4 .b32 table[2] = {11, 0xFFFF8001};";
  const auto word = [&](const std::string& body) {
    KernelRun kernel{.body = body + "\nst.global.b32 [%mine], %r0;", .globals = tile, .shape = {.block = {.x = 1}}};
    kernel.run();
    return kernel.out[0];
  };
  CHECK(word("st.shared.u32 [tile], 0x80; ld.shared.s8 %r0, [tile];") == 0xFFFFFF80);
  CHECK(word("st.shared.u32 [tile], 0x80; ld.shared.u8 %r0, [tile];") == 0x80);
  CHECK(word("ld.const.u32 %r0, [table];") == 11);
  CHECK(word("ld.const.s16 %r0, [table+4];") == 0xFFFF8001);
  CHECK(word("st.shared.v2.u32 [tile+8], {5, 6}; ld.shared.v2.u32 {%r1, %r0}, [tile+8];") == 6);
  CHECK(word("st.shared.u32 [tile], 9; mov.u64 %rd1, tile; cvta.shared.u64 %rd2, %rd1; ld.u32 %r0, [%rd2];") == 9);
  CHECK(word("mov.u64 %rd1, tile; cvta.shared.u64 %rd2, %rd1; isspacep.shared %p1, %rd2; selp.b32 %r0, 1, 2, %p1;") ==
        1);
  CHECK(word("mov.u64 %rd1, out; cvta.param.u64 %rd2, %rd1; ld.u64 %rd3, [%rd2]; sub.s64 %rd3, %rd3, %out;"
             "cvt.u32.u64 %r0, %rd3;") == 0);
}

TEST_CASE("9.7.9.6 shfl.sync") {
  CHECK(lanes_of("shfl.sync.bfly.b32 %r0, %t, 1, 31, -1;")[4] == 5);
  CHECK(lanes_of("shfl.sync.down.b32 %r0, %t, 4, 31, -1;")[30] == 30);  // past the end: its own
  CHECK(lanes_of("shfl.sync.up.b32 %r0, %t, 4, 0, -1;")[7] == 3);
  CHECK(lanes_of("shfl.sync.idx.b32 %r0, %t, 2, 0x1C1F, -1;")[9] == 10);  // segments of 4 lanes: 0x1C00
  CHECK(lanes_of("shfl.sync.up.b32 %r1|%p1, %t, 4, 0, -1; selp.b32 %r0, 1, 0, %p1;")[3] == 0);
}

TEST_CASE("9.7.13.9 to .14 vote, match, redux, elect") {
  CHECK(first("setp.lt.u32 %p1, %t, 3; vote.sync.ballot.b32 %r0, %p1, -1;") == 7);
  CHECK(first("setp.lt.u32 %p1, %t, 3; vote.sync.any.pred %p2, %p1, -1; selp.b32 %r0, 1, 0, %p2;") == 1);
  CHECK(first("setp.lt.u32 %p1, %t, 3; vote.sync.all.pred %p2, %p1, -1; selp.b32 %r0, 1, 0, %p2;") == 0);
  CHECK(lanes_of("and.b32 %r1, %t, 3; match.any.sync.b32 %r0, %r1, -1;")[1] == 0x22222222);
  CHECK(first("redux.sync.add.s32 %r0, %t, -1;") == 496);
  CHECK(first("sub.u32 %r1, %t, 5; redux.sync.min.s32 %r0, %r1, -1;") == static_cast<std::uint32_t>(-5));
  CHECK(lanes_of("elect.sync %r1|%p1, -1; selp.b32 %r0, 1, 0, %p1;")[0] == 1);
  CHECK(lanes_of("elect.sync %r1|%p1, -1; selp.b32 %r0, 1, 0, %p1;")[1] == 0);
}

TEST_CASE("9.7.13.1 bar.red") {
  KernelRun kernel{.body = R"(
    setp.lt.u32 %p1, %t, 40;
    bar.red.popc.u32 %r1, 0, %p1;
    bar.red.and.pred %p2, 0, %p1; selp.b32 %r2, 100, 0, %p2;
    bar.red.or.pred %p2, 0, %p1; selp.b32 %r3, 1000, 0, %p2;
    add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3;
    st.global.u32 [%mine], %r1;)",
                   .shape = {.block = {.x = 64}}};
  kernel.run();
  CHECK(kernel.out[63] == 1040);
}

TEST_CASE("9.7.13.5 atom") {
  const auto atomic = [](const std::string& body, std::uint32_t initial) {
    KernelRun kernel{.body = body};
    kernel.out[100] = initial;
    kernel.run();
    return kernel.out[100];
  };
  CHECK(atomic("atom.global.add.u32 %r1, [%out+400], 2;", 5) == 69);
  CHECK(atomic("red.global.max.s32 [%out+400], %t;", static_cast<std::uint32_t>(-9)) == 31);
  CHECK(atomic("red.global.or.b32 [%out+400], %t;", 0) == 31);
  CHECK(atomic("atom.global.inc.u32 %r1, [%out+400], 9;", 0) == 2);  // 32 steps round 0..9
  CHECK(atomic("atom.global.cas.b32 %r1, [%out+400], 7, 8;", 7) == 8);
  CHECK(atomic("atom.global.add.f32 %f1, [%out+400], 0f3F000000;", bits(1.0F)) == bits(17.0F));
  CHECK(atomic("atom.acq_rel.gpu.global.exch.b32 %r1, [%out+400], 3;", 7) == 3);
}

TEST_CASE("9.7.14.5 ldmatrix, mma and movmatrix") {
  // Row r of the 8x8 matrix holds 8r..8r+7 as 16-bit elements: lane l gets elements 2l and 2l + 1.
  const std::string fill = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 4, %r1;
    shl.b32 %r3, %t, 1; add.u32 %r4, %r3, 1; shl.b32 %r4, %r4, 16; or.b32 %r3, %r3, %r4;
    st.shared.u32 [%r2], %r3;
    bar.warp.sync -1;
    and.b32 %r5, %t, 7; mad.lo.u32 %r6, %r5, 16, %r1;)";
  const auto lanes = [&](const std::string& body) {
    KernelRun kernel{.body = fill + body + "\nst.global.b32 [%mine], %r0;",
                     .globals = ".shared .align 16 .b8 tile[512];"};
    kernel.run();
    return kernel.out;
  };
  CHECK(lanes("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r0}, [%r6];")[5] == (11U << 16 | 10U));
  // Transposed: lane l holds rows 2(l%4), 2(l%4)+1 of column l/4.
  CHECK(lanes("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r0}, [%r6];")[5] == (25U << 16 | 17U));
  CHECK(lanes("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r7}, [%r6];"
              "movmatrix.sync.aligned.m8n8.trans.b16 %r0, %r7;")[5] == (25U << 16 | 17U));
  // All of A and B are 1 (bf16 0x3F80): every element of D is 16 + C.
  const auto product = lanes_of(R"(
    mov.u32 %r1, 0x3F803F80; mov.f32 %f1, 0f3F000000;
    mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f2, %f3, %f4, %f5}, {%r1, %r1, %r1, %r1}, {%r1, %r1},
      {%f1, %f1, %f1, %f1};)",
                                "%f5");
  CHECK(product[17] == bits(16.5F));
}

TEST_CASE("counts: instructions, bytes, bank conflicts, blocks nobody entered") {
  KernelRun kernel{.body = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 128, %r1; mad.lo.u32 %r3, %t, 4, %r1;
    st.shared.u32 [%r3], %t;
    setp.gt.u32 %p1, %t, 1000;
    @%p1 bra NEVER;
    st.shared.u32 [%r2], 0;
    bra DONE;
NEVER: mov.u32 %r4, 1;
DONE: st.global.u32 [%mine], %t;)",
                   .globals = ".shared .align 16 .b8 tile[4096];"};
  const Report report = kernel.run();
  CHECK(report.counts.of(Space::global).written == 128);
  CHECK(report.counts.of(Space::shared).written == 256);
  CHECK(report.counts.shared_cycles == 33);  // one, and 32 lanes on one bank
  CHECK(report.counts.shared_conflict_cycles == 31);
  CHECK(report.counts.by_opcode.at("st.shared.u32") == 2);
  REQUIRE(report.coverage.unentered.size() == 1);
}
