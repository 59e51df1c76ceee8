// Instructions with a decoder of their own as a kernel runs them, with values worked out by hand. Sections of PTX
// ISA 9.0. Those of the decoder's table are in forms_test.cpp, others in the files of their chapters.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

// Word 0 of `result` after the body.
std::uint32_t first(const std::string& body, const char* result = "%r0") { return lanes_of(body, result)[0]; }

}  // namespace

TEST_CASE("9.7.9.5 mov: pairs are put together and taken apart from the lowest on") {
  CHECK(first("mov.u16 %h1, 0x1234; mov.u16 %h2, 0xABCD; mov.b32 %r0, {%h1, %h2};") == 0xABCD1234);
  CHECK(first("mov.u64 %rd1, 0x1122334455667788; mov.b64 {%r1, %r0}, %rd1;") == 0x11223344);
  CHECK(first("mov.u64 %rd1, 0x1122334455667788; mov.b64 {%r0, _}, %rd1;") == 0x55667788);
  CHECK(first("mov.pred %p1, 1; selp.b32 %r0, 1, 2, !%p1;") == 2);
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

TEST_CASE("9.7.9.10 ldu reads, 9.7.9.15 and .16 hints change nothing") {
  KernelRun kernel{.body = R"(
    ldu.global.v2.u32 {%r1, %r2}, [%out+400];
    prefetch.global.L2 [%out+400]; prefetchu.L1 [%out+400]; applypriority.global.L2::evict_normal [%out], 128;
    add.u32 %r0, %r1, %r2; st.global.u32 [%mine], %r0;)",
                   .shape = {.block = {.x = 1}}};
  kernel.out[100] = 7;
  kernel.out[101] = 8;
  const Report report = kernel.run();
  CHECK(kernel.out[0] == 15);
  CHECK(report.counts.of(Space::global).read == 8);
}

TEST_CASE("9.7.12 exit ends some lanes, 9.7.19 brkpt the run") {
  const auto left = lanes_of("setp.gt.u32 %p1, %t, 3; mov.u32 %r0, 1; @%p1 exit;");
  CHECK(left[3] == 1);
  CHECK(left[4] == 0);
  CHECK(KernelRun{.body = "brkpt;"}.fault().find("the kernel gave up with a trap") != std::string::npos);
}

TEST_CASE("9.7.19.2 nanosleep lets other warps on") {
  // Warp 0 waits for warp 1, which answers once.
  KernelRun kernel{.body = R"(
    setp.ge.u32 %p1, %t, 32;
    @%p1 bra ANSWER;
    WAIT: ld.acquire.gpu.global.u32 %r1, [%out+400];
    nanosleep.u32 100;
    setp.ne.u32 %p2, %r1, 32;
    @%p2 bra WAIT;
    st.global.u32 [%mine], %r1;
    bra DONE;
    ANSWER: red.release.gpu.global.add.u32 [%out+400], 1;
    DONE:)",
                   .shape = {.block = {.x = 64}}};
  const Report report = kernel.run();
  CHECK(kernel.out[31] == 32);
  CHECK(report.counts.by_opcode.at("nanosleep.u32") >= 1);
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
  const Unentered& never = report.coverage.unentered.front();
  REQUIRE(never.predecessors.size() == 1);
  CHECK(never.predecessors.front().end_line == never.ptx_line - 3);  // the branch
  CHECK(never.predecessors.front().block_line <= never.predecessors.front().end_line);
}
