// cp.async, mbarriers, fences and atomics: right code runs under every seed, and each forgotten step is named.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

constexpr const char* tile =
    ".shared .align 16 .b8 tile[1024]; .shared .align 8 .b8 full[8]; .shared .align 8 .b8 empty[8];";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

bool says(const std::string& fault, const char* part) {
  CAPTURE(fault);
  return fault.find(part) != std::string::npos;
}

// Every thread copies the 16 bytes of its slot of out to shared memory, then reads its neighbour's.
const std::string copy_kernel = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 16, %r1;
    mad.wide.u32 %rd1, %t, 16, %out;
    cp.async.cg.shared.global [%r2], [%rd1], 16;
    cp.async.commit_group;
    cp.async.wait_group 0;
    bar.sync 0;
    xor.b32 %r3, %t, 33; mad.lo.u32 %r4, %r3, 16, %r1;
    ld.shared.u32 %r5, [%r4];
    bar.sync 0;
    st.global.u32 [%mine], %r5;)";

KernelRun copy_run(const std::string& body, std::uint64_t seed, Asynchrony asynchrony) {
  KernelRun kernel{.body = body,
                   .globals = tile,
                   .shape = {.block = {.x = 64}},
                   .options = {.seed = seed, .asynchrony = asynchrony}};
  for (std::uint32_t i = 0; i < kernel.out.size(); ++i)
    kernel.out[i] = 1000 + i;
  return kernel;
}

// One warp fills a stage for the other, `rounds` times over one mbarrier pair.
const std::string ring = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 4, %r1; mov.u32 %r20, full; mov.u32 %r21, empty;
    setp.ne.u32 %p1, %t, 0;
    @%p1 bra READY;
    mbarrier.init.shared.b64 [%r20], 32; mbarrier.init.shared.b64 [%r21], 32;
READY:
    bar.sync 0;
    mov.u32 %r6, 0; mov.u32 %r7, 0;
    setp.ge.u32 %p2, %t, 32;
    @%p2 bra CONSUMER;
PRODUCE:
    and.b32 %r8, %r6, 1; xor.b32 %r9, %r8, 1;
WAIT_EMPTY:
    mbarrier.test_wait.parity.shared.b64 %p3, [%r21], %r9;
    @!%p3 bra WAIT_EMPTY;
    mad.lo.u32 %r10, %r6, 100, %t;
    st.shared.u32 [%r2], %r10;
    mbarrier.arrive.shared.b64 %rd5, [%r20];
    add.u32 %r6, %r6, 1; setp.lt.u32 %p4, %r6, 6;
    @%p4 bra PRODUCE;
    bra DONE;
CONSUMER:
    and.b32 %r8, %r6, 1;
WAIT_FULL:
    mbarrier.test_wait.parity.shared.b64 %p3, [%r20], %r8;
    @!%p3 bra WAIT_FULL;
    ld.shared.u32 %r11, [%r2+-128];
    add.u32 %r7, %r7, %r11;
    mbarrier.arrive.shared.b64 %rd5, [%r21];
    add.u32 %r6, %r6, 1; setp.lt.u32 %p4, %r6, 6;
    @%p4 bra CONSUMER;
    st.global.u32 [%mine], %r7;
DONE:)";

KernelRun ring_run(const std::string& body, std::uint64_t seed) {
  return {.body = body, .globals = tile, .shape = {.block = {.x = 64}}, .options = {.seed = seed}};
}

// The first block publishes what it wrote, the second waits for it. The flag is word 200 of out.
const std::string message = R"(
    mov.u32 %r1, %ctaid.x; setp.ne.u32 %p1, %r1, 0;
    @%p1 bra READER;
    st.global.u32 [%mine], %t;
    bar.sync 0;
    setp.ne.u32 %p2, %t, 0;
    @%p2 bra DONE;
    membar.gl;
    atom.global.add.u32 %r2, [%out+800], 1;
    bra DONE;
READER:
    ld.acquire.gpu.global.u32 %r3, [%out+800];
    setp.eq.u32 %p2, %r3, 0;
    @%p2 bra READER;
    ld.global.u32 %r4, [%mine];
    add.u32 %r4, %r4, 5;
    st.global.u32 [%mine+512], %r4;
DONE:)";

KernelRun message_run(const std::string& body, std::uint64_t seed) {
  return {.body = body, .shape = {.grid = {.x = 2}, .block = {.x = 64}}, .options = {.seed = seed}};
}

}  // namespace

TEST_CASE("cp.async: both modes, many seeds, one result") {
  for (const Asynchrony mode : {Asynchrony::eager, Asynchrony::lazy}) {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
      KernelRun kernel = copy_run(copy_kernel, seed, mode);
      CHECK(kernel.fault().empty());
      CHECK(kernel.out[0] == 1000 + 33 * 4);
    }
  }
}

TEST_CASE("cp.async: each forgotten step is named in both modes") {
  const std::string no_wait = replaced(copy_kernel, "cp.async.wait_group 0;", "");
  const std::string no_barrier = replaced(copy_kernel, "bar.sync 0;", "");
  const std::string no_commit = replaced(copy_kernel, "cp.async.commit_group;", "");
  const std::string too_few = replaced(copy_kernel, "wait_group 0;", "wait_group 1;");
  const std::string reused =
      replaced(copy_kernel, "cp.async.commit_group;", "st.shared.u32 [%r2], 0; cp.async.commit_group;");
  for (const Asynchrony mode : {Asynchrony::eager, Asynchrony::lazy}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      for (const std::string& body : {no_wait, no_commit, too_few})
        CHECK(says(copy_run(body, seed, mode).fault(), "that was written by a cp.async of warp"));
      CHECK(says(copy_run(reused, seed, mode).fault(), "nothing waited for that copy and passed the news on"));
      // The other warp's copies may not even have been issued.
      const std::string fault = copy_run(no_barrier, seed, mode).fault();
      CHECK((says(fault, "race: reads byte") || says(fault, "uninitialized memory: reads 4 bytes at shared")));
    }
  }
}

TEST_CASE("cp.async without race checking: lazily, what has not arrived is not there") {
  KernelRun kernel = copy_run(replaced(copy_kernel, "cp.async.wait_group 0;", ""), 1, Asynchrony::lazy);
  kernel.options.races = false;
  CHECK(says(kernel.fault(), "that nobody has written"));
}

TEST_CASE("cp.async: a short source is followed by zeros and only its bytes are read") {
  KernelRun kernel{.body = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 16, %r1;
    mad.wide.u32 %rd1, %t, 16, %out;
    setp.ne.u32 %p1, %t, 0; selp.b32 %r3, 0, 8, %p1;
    cp.async.cg.shared.global [%r2], [%rd1], 16, %r3;
    cp.async.wait_all;
    ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r2];
    or.b32 %r6, %r6, %r7; or.b32 %r5, %r5, %r6; add.u32 %r4, %r4, %r5;
    bar.warp.sync -1;
    st.global.u32 [%mine], %r4;)",
                   .globals = tile,
                   .out = {7, 8, 9, 10}};
  kernel.out.resize(32);
  CHECK(kernel.fault().empty());
  CHECK(kernel.out[0] == 15);
  CHECK(kernel.out[1] == 0);
}

TEST_CASE("a ring of one stage between two warps: no false alarm under any seed") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    KernelRun kernel = ring_run(ring, seed);
    CHECK(kernel.fault().empty());
    CHECK(kernel.out[32] == 1500);
    CHECK(kernel.out[63] == 1500 + 6 * 31);
  }
}

TEST_CASE("a ring whose parts are missing") {
  const std::string full_wait = "mbarrier.test_wait.parity.shared.b64 %p3, [%r20], %r8;\n    @!%p3 bra WAIT_FULL;";
  const std::string empty_wait = "mbarrier.test_wait.parity.shared.b64 %p3, [%r21], %r9;\n    @!%p3 bra WAIT_EMPTY;";
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    // The consumer does not wait for the stage.
    const std::string blind = replaced(ring, full_wait, "");
    const std::string fault = ring_run(blind, seed).fault();
    CHECK((says(fault, "race: ") || says(fault, "nobody has written")));
    // The producer does not wait until the stage is free again.
    const std::string reuse = replaced(ring, empty_wait, "");
    const std::string reused = ring_run(reuse, seed).fault();
    // It may also get so far ahead that the consumer misses a phase.
    CHECK((says(reused, "race: ") || says(reused, "nobody has seen phase")));
    // Nobody initialized the barriers.
    const std::string raw = replaced(ring, "mbarrier.init.shared.b64 [%r20], 32;", "");
    CHECK(says(ring_run(raw, seed).fault(), "there is no mbarrier at shared"));
    // They are used before others can know that they are.
    const std::string early = replaced(ring, "bar.sync 0;", "");
    CHECK(!ring_run(early, seed).fault().empty());
  }
}

TEST_CASE("try_wait: a wait for a phase that never completes is a deadlock with its arrivals") {
  KernelRun kernel{.body = R"(
    mov.u32 %r1, full;
    setp.ne.u32 %p1, %t, 0;
    @!%p1 mbarrier.init.shared.b64 [%r1], 2;
    bar.warp.sync -1;
    @!%p1 mbarrier.arrive.shared.b64 %rd1, [%r1];
WAIT: mbarrier.try_wait.parity.shared.b64 %p2, [%r1], 0;
    @!%p2 bra WAIT;)",
                   .globals = tile,
                   .target = "sm_90"};
  const std::string fault = kernel.fault();
  CHECK(says(fault, "deadlock: nobody can go on:"));
  CHECK(says(fault, "wait for the mbarrier at shared 0x400, phase 0: 1 of 2 arrivals and 0 bytes are missing"));
}

TEST_CASE("cp.async.mbarrier.arrive: the copies are there when the phase completes, and not before") {
  const std::string body = R"(
    mov.u32 %r1, tile; mad.lo.u32 %r2, %t, 16, %r1; mov.u32 %r20, full;
    setp.ne.u32 %p1, %t, 0;
    @!%p1 mbarrier.init.shared.b64 [%r20], 64;
    bar.sync 0;
    mad.wide.u32 %rd1, %t, 16, %out;
    cp.async.cg.shared.global [%r2], [%rd1], 16;
    cp.async.mbarrier.arrive.noinc.shared.b64 [%r20];
WAIT: mbarrier.test_wait.parity.shared.b64 %p2, [%r20], 0;
    @!%p2 bra WAIT;
    xor.b32 %r3, %t, 33; mad.lo.u32 %r4, %r3, 16, %r1;
    ld.shared.u32 %r5, [%r4];
    bar.sync 0;
    st.global.u32 [%mine], %r5;)";
  const std::string blind =
      replaced(body, "mbarrier.test_wait.parity.shared.b64 %p2, [%r20], 0;\n    @!%p2 bra WAIT;", "");
  const std::string relaxed = replaced(body, "test_wait.parity", "test_wait.parity.relaxed.cta");
  const std::string fenced = replaced(relaxed, "xor.b32 %r3, %t, 33;", "fence.acq_rel.cta; xor.b32 %r3, %t, 33;");
  for (const Asynchrony mode : {Asynchrony::eager, Asynchrony::lazy}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      KernelRun kernel = copy_run(body, seed, mode);
      CHECK(kernel.fault().empty());
      CHECK(kernel.out[0] == 1000 + 33 * 4);
      CHECK(!copy_run(blind, seed, mode).fault().empty());
      CHECK(!copy_run(relaxed, seed, mode).fault().empty());
      CHECK(copy_run(fenced, seed, mode).fault().empty());
    }
  }
}

TEST_CASE("a message between blocks: fence, atomic, acquire") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    KernelRun kernel = message_run(message, seed);
    CHECK(kernel.fault().empty());
    CHECK(kernel.out[128] == 5);
    CHECK(kernel.out[191] == 68);
    for (const char* step : {"membar.gl;", "bar.sync 0;"}) {
      const std::string broken = replaced(message, step, "");
      CHECK(says(message_run(broken, seed).fault(), "race: "));
    }
    const std::string weak = replaced(message, "ld.acquire.gpu", "ld.relaxed.gpu");
    CHECK(says(message_run(weak, seed).fault(), "race: "));
    const std::string plain = replaced(message, "ld.acquire.gpu.global", "ld.global");
    CHECK(!message_run(plain, seed).fault().empty());
  }
}

TEST_CASE("a run is the same for the same seed") {
  // Which warp comes first is the seed's choice.
  const std::string body = R"(
    atom.global.add.u32 %r1, [%out], 1;
    add.u32 %r1, %r1, 1000;
    st.global.u32 [%mine+16], %r1;)";
  const auto outcome = [&](std::uint64_t seed) {
    KernelRun kernel{.body = body, .shape = {.block = {.x = 192}}, .options = {.seed = seed}};
    kernel.run();
    return kernel.out;
  };
  CHECK(outcome(3) == outcome(3));
  bool differs = false;
  for (std::uint64_t seed = 4; seed < 20; ++seed)
    differs = differs || outcome(seed) != outcome(3);
  CHECK(differs);
}

TEST_CASE("blocks that wait for one another are resident together, up to what sms allow") {
  // Each block adds one and waits until all four have.
  const std::string body = R"(
    setp.ne.u32 %p1, %t, 0;
    @%p1 bra DONE;
    red.global.add.u32 [%out], 1;
SPIN: ld.volatile.global.u32 %r1, [%out];
    setp.lt.u32 %p2, %r1, 4;
    @%p2 bra SPIN;
DONE:)";
  KernelRun four{.body = body,
                 .shape = {.grid = {.x = 4}, .block = {.x = 32}, .dynamic_shared_bytes = 100000},
                 .options = {.sms = 4}};
  CHECK(four.fault().empty());
  KernelRun two = four;
  two.out.assign(256, 0);
  two.options.sms = 2;
  CHECK(says(two.fault(), "no progress"));
}
