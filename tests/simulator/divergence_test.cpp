#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

TEST_CASE("lanes that part at a branch meet at its post-dominator") {
  // Both sides of an if, then a ballot that all lanes must share.
  const auto lanes = lanes_of(R"(
    setp.lt.u32 %p1, %t, 10;
    @%p1 bra LESS;
    mov.u32 %r1, 200; bra DONE;
LESS: mov.u32 %r1, 100;
DONE: activemask.b32 %r2;
    popc.b32 %r3, %r2;
    add.u32 %r0, %r1, %r3;)");
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    CHECK(lanes[lane] == (lane < 10 ? 132 : 232));
}

TEST_CASE("a loop whose trip count differs by lane ends with all lanes together") {
  const auto lanes = lanes_of(R"(
    mov.u32 %r1, 0; mov.u32 %r4, 0;
LOOP: add.u32 %r4, %r4, %r1;
    add.u32 %r1, %r1, 1;
    setp.le.u32 %p1, %r1, %t;
    @%p1 bra LOOP;
    activemask.b32 %r2; popc.b32 %r3, %r2;
    mad.lo.u32 %r0, %r3, 1000, %r4;)");
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    CHECK(lanes[lane] == 32000 + lane * (lane + 1) / 2);
}

TEST_CASE("nested branches meet inside out") {
  const auto lanes = lanes_of(R"(
    and.b32 %r1, %t, 1; and.b32 %r2, %t, 2;
    setp.ne.u32 %p1, %r1, 0; setp.ne.u32 %p2, %r2, 0;
    mov.u32 %r3, 0;
    @!%p1 bra OUTER;
    @!%p2 bra INNER;
    add.u32 %r3, %r3, 1;
INNER: activemask.b32 %r4; popc.b32 %r5, %r4;
    add.u32 %r3, %r3, %r5;
OUTER: activemask.b32 %r4; popc.b32 %r5, %r4;
    mad.lo.u32 %r0, %r5, 100, %r3;)");
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    CHECK(lanes[lane] == 3200 + ((lane & 1) != 0 ? 16U : 0U) + ((lane & 3) == 3 ? 1U : 0U));
}

TEST_CASE("brx.idx: each lane to the label its index names, and all meet again") {
  // 0, 4, 8, ... go to A (8 lanes), 1, 5, ... to C (8), 2, 6, ... again to A (8), 3, 7, ... are passed over (8).
  const auto lanes = lanes_of(R"(
    and.b32 %r4, %t, 3;
    setp.ne.u32 %p1, %r4, 3;
list: .branchtargets A, C, A, B;
    @%p1 brx.idx %r4, list;
B:  activemask.b32 %r2; popc.b32 %r3, %r2; mov.u32 %r1, 100; bra DONE;
A:  activemask.b32 %r2; popc.b32 %r3, %r2; mov.u32 %r1, 200; bra DONE;
C:  activemask.b32 %r2; popc.b32 %r3, %r2; mov.u32 %r1, 300;
DONE: activemask.b32 %r2; popc.b32 %r5, %r2;
    add.u32 %r0, %r1, %r3; mad.lo.u32 %r0, %r5, 1000, %r0;)");
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    CHECK(lanes[lane] == std::array{32216U, 32308U, 32216U, 32108U}.at(lane % 4));
}

TEST_CASE("brx.idx: all lanes to one label, one of them the join") {
  const auto lanes = lanes_of(R"(
    mov.u32 %r4, 1; mov.u32 %r0, 1;
list: .branchtargets A, DONE;
    brx.idx.uni %r4, list;
A:  mov.u32 %r0, 2;
DONE: add.u32 %r0, %r0, 40;)");
  CHECK(lanes == std::vector<std::uint32_t>(32, 41));
}

TEST_CASE("brx.idx: an index past the list") {
  KernelRun kernel{.body = "list: .branchtargets A, A;\nadd.u32 %r1, %t, 0;\nbrx.idx %r1, list;\nA:"};
  CHECK(kernel.fault().find("bad operand: brx.idx takes label 2 of a list of 2; kernel k, block 0, warp 0, lane 2") !=
        std::string::npos);
}

TEST_CASE("lanes that returned are not waited for") {
  const auto lanes = lanes_of(R"(
    setp.ge.u32 %p1, %t, 20;
    @%p1 ret;
    bar.sync 0;
    vote.sync.ballot.b32 %r0, 1, -1;)");
  CHECK(lanes[0] == 0xFFFFF);
  CHECK(lanes[20] == 0);
}

TEST_CASE("a full-mask shfl gathers lanes that are still apart") {
  // Both sides run the same shfl through a branch whose post-dominator lies behind it.
  const auto lanes = lanes_of(R"(
    setp.lt.u32 %p1, %t, 16;
    mov.u32 %r1, %t;
    @%p1 bra MEET;
    add.u32 %r1, %r1, 100;
MEET: shfl.sync.bfly.b32 %r0, %r1, 16, 31, -1;)");
  CHECK(lanes[0] == 116);
  CHECK(lanes[31] == 15);
}

TEST_CASE("bar.warp.sync: each half at its own") {
  const auto lanes = lanes_of(R"(
    setp.lt.u32 %p1, %t, 16;
    @%p1 bra LOW;
    bar.warp.sync -1;
    mov.u32 %r0, 1; bra DONE;
LOW: bar.warp.sync -1;
    mov.u32 %r0, 2;
DONE:)");
  CHECK(lanes[0] == 2);
  CHECK(lanes[31] == 1);
}

TEST_CASE("lanes outside a membermask are refused") {
  KernelRun kernel{.body = "bar.warp.sync 0xFFFF;"};
  CHECK(kernel.fault().find("lanes outside its membermask 0xffff") != std::string::npos);
}

TEST_CASE("an .aligned instruction wants the whole warp") {
  KernelRun kernel{.body = R"(
    setp.lt.u32 %p1, %t, 16;
    @%p1 bra SKIP;
    bar.sync 0;
SKIP:)"};
  const std::string fault = kernel.fault();
  CHECK(fault.find("divergence: bar.sync is .aligned and lanes 0-15 of its warp are at PTX line") != std::string::npos);
  CHECK(fault.find("kernel k, block 0, warp 0, lanes 16-31, PTX line") != std::string::npos);
  KernelRun guarded{.body = "setp.lt.u32 %p1, %t, 16;\n@%p1 bar.sync 0;"};
  CHECK(guarded.fault().find("the guard of these lanes skips it") != std::string::npos);
}

TEST_CASE("strict: a matrix instruction after a divergent branch wants bar.warp.sync first") {
  constexpr const char* shared = ".shared .align 16 .b8 tile[128];";
  const std::string divergent = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 4, %r1;
    st.shared.u32 [%r2], %t;
    setp.lt.u32 %p1, %t, 16;
    @%p1 bra SKIP;
    mov.u32 %r3, 1;
SKIP: )";
  const std::string load = R"(
    and.b32 %r4, %t, 7; mad.lo.u32 %r5, %r4, 16, %r1;
    ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r6}, [%r5];)";
  KernelRun bare{.body = divergent + load, .globals = shared};
  CHECK(bare.fault().empty());
  bare.options.strict = true;
  CHECK(bare.fault().find("where lanes parted, without a bar.warp.sync between") != std::string::npos);
  const std::string with_sync = divergent + "bar.warp.sync -1;" + load;
  KernelRun synced{.body = with_sync, .globals = shared, .options = {.strict = true}};
  CHECK(synced.fault().empty());
}
