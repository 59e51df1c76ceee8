// Each kind of fault, provoked on purpose.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

bool says(const std::string& fault, const char* part) {
  CAPTURE(fault);
  return fault.find(part) != std::string::npos;
}

constexpr const char* tile = ".shared .align 16 .b8 tile[1024];";

}  // namespace

TEST_CASE("a register nobody wrote") {
  constexpr Options strict{.strict = true};
  KernelRun kernel{.body = "add.u32 %r1, %r2, 1;", .options = strict};
  CHECK(says(kernel.fault(), "uninitialized register: %r2 is read before anything was written to it"));
  // One lane of it.
  KernelRun partial{.body = "setp.ne.u32 %p1, %t, 5;\n@%p1 mov.u32 %r2, 1;\nadd.u32 %r1, %r2, 1;", .options = strict};
  CHECK(says(partial.fault(), "warp 0, lane 5, PTX line"));
  // A copy of it is as good as itself: only a use counts.
  KernelRun copied{.body = "mov.u32 %r1, %r2;", .options = strict};
  CHECK(copied.fault().empty());
  KernelRun used{.body = "mov.u32 %r1, %r2; add.u32 %r3, %r1, 1;", .options = strict};
  CHECK(says(used.fault(), "%r1 is read before"));
  KernelRun guard{.body = "@%p1 mov.u32 %r1, 1;", .options = strict};
  CHECK(says(guard.fault(), "the guard %p1 is read before"));
}

TEST_CASE("what is computed from a register nobody wrote, outside of strict mode") {
  // Lane 5 has no %r2, and %r1 of lane 4 comes from it.
  const std::string body =
      "mov.u32 %r0, 0; setp.ne.u32 %p1, %t, 5; @%p1 mov.u32 %r2, %t; shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1; "
      "add.u32 %r1, %r1, 1; setp.ne.u32 %p1, %t, 4; ";
  const std::string unused_body = body + "@%p1 st.global.u32 [%mine], %r1;";
  KernelRun unused{.body = unused_body};
  CHECK(unused.fault().empty());
  CHECK(unused.out[5] == 5);
  const std::string stored_body = body + "st.global.u32 [%mine], %r1;";
  KernelRun stored{.body = stored_body};
  CHECK(says(stored.fault(), "%r1 is read before anything was written to it or to what it was computed from"));
  CHECK(says(stored.fault(), "lane 4,"));
  KernelRun decided{.body = "setp.eq.u32 %p1, %r2, 0; @%p1 mov.u32 %r1, 1;"};
  CHECK(says(decided.fault(), "the guard %p1 is read before"));
}

TEST_CASE("shared memory nobody wrote, and outside of it") {
  KernelRun unwritten{.body = "ld.shared.u32 %r1, [tile+4];", .globals = tile};
  CHECK(says(unwritten.fault(), "uninitialized memory: reads 4 bytes at shared 0x404 that nobody has written"));
  KernelRun outside{.body = "mov.u32 %r1, 0; st.shared.u32 [tile+1024], %r1;", .globals = tile};
  CHECK(says(outside.fault(), "out of bounds: writes 4 bytes at shared 0x800"));
  KernelRun forgotten{.body = "mov.u32 %r1, 0; st.shared.u32 [%r1], %r1;", .globals = tile};
  CHECK(says(forgotten.fault(), "out of bounds: writes 4 bytes at shared 0x0"));
}

TEST_CASE("global memory outside of every buffer, with the buffer that was missed") {
  KernelRun past{.body = "st.global.u32 [%out+1024], %t;"};
  CHECK(says(past.fault(), "out of bounds: writes 4 bytes of global memory 4 bytes past the end of out (1024 bytes)"));
  KernelRun before{.body = "ld.global.u32 %r1, [%out+-8];"};
  CHECK(says(before.fault(), "reads 4 bytes of global memory 8 bytes before the begin of out"));
  KernelRun nowhere{.body = "mov.u64 %rd1, 64; ld.global.u32 %r1, [%rd1];"};
  CHECK(says(nowhere.fault(), "address 0x40, near no registered buffer"));
  KernelRun forbidden{.body = "st.global.u32 [%mine], %t;", .access = BufferAccess::read};
  CHECK(says(forbidden.fault(), "forbidden access: writes out, which is read-only"));
  KernelRun scratch{.body = "ld.global.u32 %r1, [%mine];", .access = BufferAccess::scratch};
  CHECK(says(scratch.fault(), "reads 4 bytes of out at byte 0 that nobody has written"));
}

TEST_CASE("misalignment") {
  KernelRun word{.body = "ld.global.u32 %r1, [%out+2];"};
  CHECK(says(word.fault(), "is not a multiple of the 4 bytes accessed"));
  // A vector as a whole: each of its words would be in order.
  constexpr const char* buffer = ".global .align 16 .b8 words[64];";
  KernelRun vector{.body = "mov.u64 %rd1, words; ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd1+4];", .globals = buffer};
  CHECK(says(vector.fault(), "misaligned address: address 0x"));
  CHECK(says(vector.fault(), "4 is not a multiple of the 16 bytes accessed; kernel k, block 0, warp 0, all lanes"));
  KernelRun pair{.body = "st.shared.v2.u32 [tile+4], {%t, %t};", .globals = tile};
  CHECK(says(pair.fault(), "misaligned address: address 0x404 is not a multiple of the 8 bytes accessed"));
  KernelRun local{.body = "ld.local.v2.u32 {%r1, %r2}, [stack+4];", .registers = ".local .align 8 .b8 stack[16];"};
  CHECK(says(local.fault(), "misaligned address: address 0x4 is not a multiple of the 8 bytes accessed"));
}

TEST_CASE("local memory") {
  KernelRun unwritten{.body = "ld.local.u32 %r1, [stack+4];", .registers = ".local .align 4 .b8 stack[8];"};
  CHECK(says(unwritten.fault(), "reads 4 bytes at byte 4 of local memory that it has not written"));
  KernelRun outside{.body = "st.local.u32 [stack+16], %t;", .registers = ".local .align 4 .b8 stack[8];"};
  CHECK(says(outside.fault(), "out of bounds: writes 4 bytes at byte 16 of the lane's 16 bytes of local memory"));
}

TEST_CASE("two warps and no barrier between them") {
  constexpr const char* exchange = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 4, %r1;
    st.shared.u32 [%r2], 0;
    xor.b32 %r3, %t, 32; mad.lo.u32 %r2, %r3, 4, %r1;
    bar.sync 0;
    st.shared.u32 [%r2], %r3;
    {}
    mad.lo.u32 %r2, %t, 4, %r1;
    ld.shared.u32 %r4, [%r2];
    st.global.u32 [%mine], %r4;)";
  const std::string text = exchange;
  const auto with = [&](const char* between) {
    std::string body = text;
    return body.replace(body.find("{}"), 2, between);
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string bare = with("");
    KernelRun racing{.body = bare, .globals = tile, .shape = {.block = {.x = 64}}, .options = {.seed = seed}};
    const std::string fault = racing.fault();
    CHECK(says(fault, "race: "));
    CHECK(says(fault, "nothing orders one before the other"));
    const std::string ordered = with("bar.sync 0;");
    KernelRun sound{.body = ordered, .globals = tile, .shape = {.block = {.x = 64}}, .options = {.seed = seed}};
    CHECK(sound.fault().empty());
    CHECK(sound.out[0] == 0);
    CHECK(sound.out[63] == 63);
  }
}

TEST_CASE("two lanes that write one byte in one instruction") {
  KernelRun kernel{.body = "st.global.u32 [%out], %t;"};
  CHECK(says(kernel.fault(), "these lanes write byte"));
}

TEST_CASE("lanes and warps that store equal bytes") {
  // Every lane of both warps stores 7; a lane of the second stores 8 where `differing` says so.
  const auto body = [](std::string_view differing) {
    return ".reg .pred %differs; mov.u32 %r0, 7; " + std::string(differing) +
           "st.shared.u32 [tile], %r0; bar.sync 0; ld.shared.u32 %r1, [tile]; st.global.u32 [%mine], %r1;";
  };
  const auto run = [&](std::string_view differing, bool strict) {
    KernelRun kernel{.body = body(differing),
                     .globals = ".shared .align 4 .b32 tile[1];",
                     .shape = {.block = {.x = 64}},
                     .options = {.strict = strict}};
    const std::string fault = kernel.fault();
    CHECK((!fault.empty() || kernel.out[63] == 7));
    return fault;
  };
  CHECK(run("", false).empty());
  CHECK(says(run("", true), "these lanes write byte"));
  CHECK(says(run("setp.eq.u32 %differs, %t, 40; @%differs mov.u32 %r0, 8; ", false), "these lanes write byte"));
  CHECK(says(run("setp.ge.u32 %differs, %t, 32; @%differs mov.u32 %r0, 8; ", false), "race: writes byte 0"));
}

TEST_CASE("a read that only one of two equal stores comes before") {
  // The flag of warp 0 orders its own store before the read, not the one of warp 1.
  KernelRun kernel{.body = R"(
    .reg .pred %first, %second;
    setp.lt.u32 %first, %t, 32;
    setp.lt.u32 %second, %t, 64;
    mov.u32 %r0, 7;
    @%second st.shared.u32 [tile], %r0;
    @%first bar.sync 1, 64;
    @%second bra DONE;
    bar.sync 1, 64;
    ld.shared.u32 %r1, [tile];
    st.global.u32 [%mine], %r1;
    DONE:)",
                   .globals = ".shared .align 4 .b32 tile[1];",
                   .shape = {.block = {.x = 96}}};
  CHECK(says(kernel.fault(), "race: "));
}

TEST_CASE("two blocks that write one word") {
  KernelRun kernel{.body = "st.global.u32 [%mine], %t;", .shape = {.grid = {.x = 2}, .block = {.x = 32}}};
  CHECK(says(kernel.fault(), "of out that was written by warp 0 of block"));
}

TEST_CASE("barriers") {
  KernelRun other_count{.body = R"(
    setp.ge.u32 %p1, %t, 32;
    @%p1 bra B;
    bar.sync 1, 64; bra DONE;
B:  bar.sync 1, 96;
DONE:)",
                        .shape = {.block = {.x = 96}}};
  CHECK(says(other_count.fault(), "barrier: barrier 1 is used for"));
  KernelRun twice{.body = "bar.arrive 1, 64; bar.arrive 1, 64;"};
  CHECK(says(twice.fault(), "this warp arrives a second time at barrier 1 before it completes"));
  KernelRun odd{.body = "mov.u32 %r1, 40; bar.sync 1, %r1;"};
  CHECK(says(odd.fault(), "no multiple of the warp size"));
  KernelRun sixteen{.body = "mov.u32 %r1, 16; bar.sync %r1;"};
  CHECK(says(sixteen.fault(), "barrier 16 does not exist"));
}

TEST_CASE("deadlock: who waits for what") {
  KernelRun kernel{.body = R"(
    setp.ge.u32 %p1, %t, 32;
    @%p1 bra B;
    bar.sync 1, 64; bra DONE;
B:  bar.sync 2, 64;
DONE:)",
                   .shape = {.block = {.x = 64}}};
  const std::string fault = kernel.fault();
  CHECK(says(fault, "deadlock: nobody can go on:"));
  CHECK(says(fault, "block 0 warp 0 all lanes: wait at barrier 1, where 32 of 64 threads have come (PTX line"));
  CHECK(says(fault, "block 0 warp 1 all lanes: wait at barrier 2"));
}

TEST_CASE("a spin that nothing will end") {
  KernelRun kernel{.body = R"(
SPIN: ld.volatile.global.u32 %r1, [%out];
    setp.eq.u32 %p1, %r1, 0;
    @%p1 bra SPIN;)"};
  CHECK(says(kernel.fault(), "no progress: everybody runs on and nothing changes any more:"));
}

TEST_CASE("a loop without end that always writes something") {
  KernelRun kernel{.body = R"(
AGAIN: st.global.u32 [%mine], %t;
    bra AGAIN;)",
                   .options = {.most_instructions = 10000}};
  const std::string fault = kernel.fault();
  CHECK(says(fault, "no progress: more than 10000 warp instructions in one launch"));
  CHECK(says(fault, "instructions=N"));
  CHECK(says(fault, "block 0 warp 0 all lanes: can run (PTX line"));
}

TEST_CASE("trap, and launches that cannot be") {
  KernelRun trap{.body = "trap;"};
  CHECK(says(trap.fault(), "trap: the kernel gave up"));
  KernelRun large{.body = "", .shape = {.block = {.x = 2048}}};
  CHECK(says(large.fault(), "launch: a grid of 1 blocks of 2048 threads"));
  KernelRun shared{.body = "", .shape = {.block = {.x = 32}, .dynamic_shared_bytes = 200000}};
  CHECK(says(shared.fault(), "200000 bytes of shared memory a block, and 166912 are the limit"));
}

TEST_CASE("shfl from a lane that does not take part") {
  KernelRun kernel{.body = R"(
    setp.ge.u32 %p1, %t, 16;
    @%p1 bra DONE;
    shfl.sync.idx.b32 %r1, %t, 20, 31, 0xFFFF;
DONE:)"};
  CHECK(says(kernel.fault(), "shfl reads lane 20, which does not take part"));
}

TEST_CASE("an opcode nobody handles is refused by name and line") {
  KernelRun kernel{.body = "tcgen05.fence::before_thread_sync;"};
  try {
    kernel.run();
    FAIL("it ran");
  } catch (const std::exception& error) {
    CHECK(says(error.what(), "tcgen05.fence::before_thread_sync"));
    CHECK(says(error.what(), "PTX line"));
  }
}
