// Clusters, their registers and barrier, remote arrivals; mbarriers and their counts; other small forms of sm_90a.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/simulator/hopper_run.h"

using namespace attentune::simulator;

namespace {

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Runs `body` with 32 threads a block, each of which may store a word at %mine.
HopperRun blocks(const std::string& body, std::uint32_t grid, std::uint32_t cluster,
                 Asynchrony mode = Asynchrony::lazy) {
  HopperRun run{.body =
                    ".reg .b64 %mine; .reg .b32 %who; mov.u32 %who, %ctaid.x; mad.lo.u32 %r39, %who, 32, %t;\n"
                    "mul.wide.u32 %mine, %r39, 4; add.u64 %mine, %mine, %out;\n" +
                    body,
                .threads = 32,
                .shared_bytes = 1024};
  run.grid = {.x = grid};
  run.cluster = {.x = cluster};
  run.options.asynchrony = mode;
  run.out.resize(grid * 128);
  return run;
}

constexpr const char* cluster_sync = "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n";

}  // namespace

TEST_CASE("hopper: where a block stands in its cluster") {
  HopperRun run = blocks(R"(
    mov.u32 %r0, %cluster_ctarank; mov.u32 %r1, %cluster_nctarank; mov.u32 %r2, %clusterid.x; mov.u32 %r3, %nclusterid.x;
    mov.u32 %r4, %cluster_ctaid.x; mov.u32 %r5, %cluster_nctaid.x; mov.pred %p1, %is_explicit_cluster; selp.u32 %r6, 1, 0, %p1;
    mad.lo.u32 %r0, %r1, 10, %r0; mad.lo.u32 %r0, %r2, 100, %r0; mad.lo.u32 %r0, %r3, 1000, %r0;
    mad.lo.u32 %r0, %r4, 10000, %r0; mad.lo.u32 %r0, %r5, 100000, %r0; mad.lo.u32 %r0, %r6, 1000000, %r0;
    st.global.u32 [%mine], %r0;)",
                         6, 2);
  run.run();
  for (std::uint32_t block = 0; block < 6; ++block)
    CHECK(run.values<std::uint32_t>()[block * 32] ==
          1000000 + 200000 + 10000 * (block % 2) + 3000 + 100 * (block / 2) + 20 + block % 2);
}

TEST_CASE("hopper: shared memory of another block, and what keeps it there") {
  const std::string exchange = std::string(R"(
    mad.lo.u32 %r0, %t, 4, %m; add.u32 %r1, %t, %who; st.shared.u32 [%r0], %r1;
)") + cluster_sync + R"(
    mov.u32 %r2, %cluster_ctarank; xor.b32 %r2, %r2, 1; mapa.shared::cluster.u32 %r3, %r0, %r2;
    ld.shared::cluster.u32 %r4, [%r3]; st.global.u32 [%mine], %r4;
    getctarank.shared::cluster.u32 %r5, %r3; setp.ne.u32 %p1, %r5, %r2; @%p1 trap;
)";
  HopperRun run = blocks(exchange + cluster_sync, 4, 2);
  run.run();
  for (std::uint32_t i = 0; i < 128; ++i)
    CHECK(run.values<std::uint32_t>()[i] == i % 32 + (i / 32 ^ 1));
  std::string early = exchange + cluster_sync;
  early.replace(early.find(cluster_sync), std::string(cluster_sync).size(), "");
  const std::string fault = blocks(early, 4, 2).fault();
  CHECK((says(fault, "race") || says(fault, "nobody has written")));
  // Generic addresses do the same.
  std::string generic = exchange;
  generic.replace(generic.find("ld.shared::cluster.u32 %r4, [%r3];"), 34,
                  "cvt.u64.u32 %rd1, %r0; cvta.shared.u64 %rd1, %rd1; mapa.u64 %rd2, %rd1, %r2; ld.u32 %r4, [%rd2];");
  HopperRun other = blocks(generic + cluster_sync, 4, 2);
  other.run();
  CHECK(other.out == run.out);
  CHECK(says(blocks("mapa.shared::cluster.u32 %r3, %m, 2;", 2, 2).fault(), "mapa to block 2 of a cluster of 2"));
  bool exited = false;
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    HopperRun leaves = blocks(exchange, 2, 2);
    leaves.options.seed = seed;
    exited = exited || says(leaves.fault(), "which has exited: a cluster barrier before the exit keeps it");
  }
  CHECK(exited);
}

TEST_CASE("hopper: the cluster's barrier") {
  CHECK(says(blocks("barrier.cluster.arrive.aligned; barrier.cluster.arrive.aligned;", 2, 2).fault(), "a second time"));
  CHECK(says(blocks("barrier.cluster.wait.aligned;", 2, 2).fault(), "without having arrived"));
  // Who exits is not waited for.
  CHECK(blocks(std::string("setp.eq.u32 %p1, %who, 0; @%p1 bra END;\n") + cluster_sync + "END:\n", 2, 2).fault() == "");
  const std::string spin = std::string("setp.eq.u32 %p1, %who, 0; @%p1 bra OTHER;\n") + cluster_sync +
                           "bra END;\nOTHER: mbarrier.init.shared.b64 [%m], 1; bar.warp.sync -1;\n"
                           "W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%m], 0; @!%p2 bra W;\nEND:\n";
  std::string one = spin;
  one.replace(one.find("mbarrier.init"), 13, "setp.eq.u32 %p3, %t, 0; @%p3 mbarrier.init");
  CHECK(says(blocks(one, 2, 2).fault(), "wait at the cluster's barrier, where 32 threads have come"));
  CHECK(says(blocks("", 3, 2).fault(), "clusters of 2 x 1 x 1 blocks in a grid of 3 x 1 x 1"));
}

TEST_CASE("hopper: a relaxed arrival passes on what a fence before it released") {
  // PTX ISA 9.0, section 9.7.13.4: "use memory fence prior to arrive for relaxed barrier".
  const auto fault = [](const std::string& fence, const std::string& arrive) {
    return blocks(
               "mad.lo.u32 %r0, %t, 4, %m; st.shared.u32 [%r0], %t; mov.u32 %r2, %cluster_ctarank;\n"
               "xor.b32 %r2, %r2, 1; mapa.shared::cluster.u32 %r3, %r0, %r2;\n" +
                   fence + arrive +
                   "barrier.cluster.wait.aligned; ld.shared::cluster.u32 %r4, [%r3]; st.global.u32 [%mine], %r4;\n" +
                   cluster_sync,
               2, 2)
        .fault();
  };
  CHECK(fault("fence.acq_rel.cluster;", "barrier.cluster.arrive.relaxed.aligned;") == "");
  CHECK(fault("", "barrier.cluster.arrive.aligned;") == "");
  CHECK(says(fault("", "barrier.cluster.arrive.relaxed.aligned;"), "race"));
}

TEST_CASE("hopper: arrivals from another block") {
  for (const Asynchrony mode : {Asynchrony::lazy, Asynchrony::eager}) {
    HopperRun run = blocks(std::string(R"(
      setp.eq.u32 %p1, %t, 0; mov.u32 %r2, %cluster_ctarank; setp.eq.u32 %p2, %r2, 0;
      add.u32 %r7, %m, 8;
      @%p1 mbarrier.init.shared::cta.b64 [%m], 33; fence.mbarrier_init.release.cluster;
)") + cluster_sync + R"(
      mapa.shared::cluster.u32 %r3, %m, 0; mapa.shared::cluster.u32 %r4, %r7, 0; mad.lo.u32 %r4, %t, 4, %r4;
      @%p2 bra FIRST;
      st.shared::cluster.u32 [%r4], %t;
      mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];
      bra END;
      FIRST:
      @%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%m], 64;
      @%p1 mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%r3], 64;
      W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p3, [%m], 0; @!%p3 bra W;
      mad.lo.u32 %r5, %t, 4, %r7; ld.shared.u32 %r6, [%r5]; st.global.u32 [%mine], %r6;
      END:
)" + cluster_sync,
                           2, 2, mode);
    CHECK(run.fault() == "");
    for (std::uint32_t i = 0; i < 32; ++i)
      CHECK(run.values<std::uint32_t>()[i] == i);
  }
  CHECK(
      says(blocks(std::string("setp.eq.u32 %p1, %t, 0; @%p1 mbarrier.init.shared::cta.b64 [%m], 33;\n") + cluster_sync +
                      "mapa.shared::cluster.u32 %r3, %m, 1; xor.b32 %r3, %r3, 0;\n"
                      "mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r3], 0;\n" +
                      cluster_sync,
                  2, 2)
               .fault(),
           "only an mbarrier of the own block can be waited for"));
}

TEST_CASE("hopper: counts of an mbarrier") {
  const auto fault = [](const std::string& body) {
    return blocks("setp.eq.u32 %p1, %t, 0; @!%p1 bra END;\n" + body + "\nEND:\n", 1, 1).fault();
  };
  const std::string init = "mbarrier.init.shared::cta.b64 [%m], 1;\n";
  CHECK(fault(init + "mbarrier.arrive.shared::cta.b64 _, [%m];\n"
                     "mbarrier.test_wait.parity.shared::cta.b64 %p2, [%m], 0; @!%p2 trap;\n"
                     "mbarrier.test_wait.parity.shared::cta.b64 %p2, [%m], 1; @%p2 trap;\n"
                     "mbarrier.inval.shared::cta.b64 [%m];") == "");
  CHECK(says(fault(init + "mbarrier.arrive.shared::cta.b64 _, [%m];\nmbarrier.arrive.shared::cta.b64 _, [%m];"),
             "an arrival in phase 1 of the mbarrier at shared 0x400, and nobody has seen phase 0 complete"));
  const std::string round =
      "mbarrier.arrive.shared::cta.b64 _, [%m];\n"
      "mbarrier.test_wait.parity.shared::cta.b64 %p2, [%m], {};\n";
  CHECK(says(fault(init +
                   "mbarrier.arrive.shared::cta.b64 %rd1, [%m];\n"
                   "mbarrier.test_wait.shared::cta.b64 %p2, [%m], %rd1;\n" +
                   fmt::format(fmt::runtime(round), 1) + "mbarrier.test_wait.shared::cta.b64 %p2, [%m], %rd1;"),
             "a wait for phase 0 of an mbarrier that is in phase 2"));
  CHECK(says(fault(init + "mbarrier.test_wait.parity.shared::cta.b64 %p2, [%m], 2;"), "neither 0 nor 1"));
  CHECK(says(fault(init + "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%m], 1048575;\n"
                          "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%m], 1;"),
             "becomes 1048576 bytes, outside of +-1048575"));
  CHECK(says(fault("mbarrier.init.shared::cta.b64 [%m], 1048576;"), "an mbarrier for 1048576 arrivals"));
  CHECK(says(fault("mbarrier.init.shared::cta.b64 [%m+4], 1;"), "misaligned"));
  CHECK(says(fault(init + init), "is initialized again without mbarrier.inval"));
  CHECK(says(fault("mbarrier.arrive.shared::cta.b64 _, [%m];"), "there is no mbarrier at shared 0x400"));
}

TEST_CASE("hopper: forms that only have to be there") {
  CHECK(
      blocks(
          "griddepcontrol.wait; griddepcontrol.launch_dependents; prefetch.tensormap [%map];\n"
          "cp.async.bulk.prefetch.tensor.1d.L2.global.tile [%map, {0}]; cp.async.bulk.prefetch.L2.global [%out], 16;\n"
          "fence.proxy.async; fence.proxy.async.global; fence.proxy.async.shared::cta; "
          "fence.mbarrier_init.release.cluster;\n"
          "fence.acq_rel.cluster; createpolicy.fractional.L2::evict_first.b64 %rd1, 1.0;\n"
          "elect.sync %r1|%p1, 0xffffffff; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;",
          1, 1)
          .fault() == "");
}
