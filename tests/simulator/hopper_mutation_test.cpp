// The attention kernel with one thing broken at a time: each is stopped, and named.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulator/hopper_attention.h"
#include "tests/simulator/run.h"

using namespace attentune::simulator;

namespace {

// What stops the broken text in both modes, under each of a few seeds; the parts one of which each message must hold.
void check_stopped(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const Asynchrony asynchrony : {Asynchrony::lazy, Asynchrony::eager}) {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
      const HopperAttention attention{.len_kv = 512, .options = {.seed = seed, .asynchrony = asynchrony}};
      const std::string fault = fault_of([&] { (void)attention.run(text); });
      bool named = false;
      for (const std::string_view part : parts)
        named = named || fault.find(part) != std::string::npos;
      CAPTURE(seed);
      CAPTURE(static_cast<int>(asynchrony));
      CAPTURE(fault);
      CHECK(named);
    }
  }
}

std::string kernel() { return HopperAttention{}.ptx(); }

constexpr std::string_view wait_for_k = "mbarrier.try_wait.parity.shared::cta.b64 p, [%r57], %r80;";
constexpr std::string_view descriptor_of_k = "4611686293305360384";  // 128-byte swizzle, offsets 16 and 1024

}  // namespace

TEST_CASE("hopper: a wait for the wrong parity") {
  check_stopped(replaced(kernel(), wait_for_k,
                         "{.reg .b32 q; xor.b32 q, %r80, 1; mbarrier.try_wait.parity.shared::cta.b64 p, [%r57], q;}"),
                {"uninitialized memory", "race", "nobody has written", "deadlock"});
}

TEST_CASE("hopper: no wait at all") {
  check_stopped(replaced(kernel(), wait_for_k, "setp.eq.u32 p, 0, 0;"),
                {"uninitialized memory", "race: a wgmma reads"});
}

TEST_CASE("hopper: bytes nobody expects") {
  check_stopped(replaced(kernel(), "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r173], %r171;",
                         "mbarrier.arrive.shared::cta.b64 _, [%r173];"),
                {"was not told to expect its bytes", "race: a wgmma reads", "nobody has written"});
}

TEST_CASE("hopper: too many bytes expected is a deadlock that says how many are missing") {
  check_stopped(replaced(kernel(), "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r173], %r171;",
                         "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r173], 16400;"),
                {"0 of 1 arrivals and 16 bytes are missing", "1 of 1 arrivals and 16 bytes are missing"});
}

TEST_CASE("hopper: a stage filled again before its consumers released it") {
  std::string text = kernel();
  for (const char* wait :
       {"[%r218], %r201;", "[%r236], %r201;", "[%r218], %r181;", "[%r236], %r181;", "[%r255], %r256;"})
    text = replaced(text, std::string("mbarrier.try_wait.parity.shared::cta.b64 p, ") + wait, "setp.eq.u32 p, 0, 0;");
  check_stopped(text, {"race: a bulk copy writes", "nobody has seen phase", "whose phase waits for 0"});
}

TEST_CASE("hopper: a stage released while a wgmma still reads it") {
  // The last wait moves behind the arrival.
  const std::string wait = "wgmma.wait_group.sync.aligned 0;";
  const std::string arrive = "mbarrier.arrive.shared::cta.b64 _, [%r101];";
  const std::string text = replaced(replaced(kernel(), wait, "", 1), arrive, arrive + wait);
  check_stopped(text, {"race: a bulk copy writes byte", "race: a wgmma reads"});
}

TEST_CASE("hopper: accumulators read before their wgmma is waited for") {
  check_stopped(replaced(kernel(), "wgmma.wait_group.sync.aligned 0;", "", 0),
                {"which is an accumulator of a wgmma that is under way: no wgmma.wait_group has waited for it"});
  check_stopped(replaced(kernel(), "wgmma.commit_group.sync.aligned;", "", 0),
                {"which is an accumulator of a wgmma that is under way: no wgmma.wait_group has waited for it"});
}

TEST_CASE("hopper: registers a wgmma takes without a fence") {
  check_stopped(replaced(kernel(), "wgmma.fence.sync.aligned;", "", 0),
                {"no wgmma.fence stands before the first wgmma of this warp"});
  check_stopped(replaced(kernel(), "wgmma.fence.sync.aligned;", "", 1), {"after the last wgmma.fence"});
}

TEST_CASE("hopper: descriptors that are wrong") {
  const std::string text = kernel();
  const auto with = [&](std::uint64_t changed) {
    return replaced(text, descriptor_of_k, std::to_string(4611686293305360384U ^ changed));
  };
  check_stopped(with(std::uint64_t{1} << 40), {"uninitialized memory", "race: ", "out of bounds"});  // stride 5120
  check_stopped(with(std::uint64_t{1} << 30), {"its reserved bits 0x40000000 are set"});
  check_stopped(with(std::uint64_t{1} << 46), {"its reserved bits 0x400000000000 are set"});
  check_stopped(with(std::uint64_t{1} << 52), {"its reserved bits 0x10000000000000 are set"});
  check_stopped(with(std::uint64_t{1} << 49), {"its base offset is 1, and only 0 is served"});
}

TEST_CASE("hopper: more registers asked for than there are") {
  check_stopped(replaced(kernel(), "setmaxnreg.inc.sync.aligned.u32 240;", "setmaxnreg.inc.sync.aligned.u32 248;"),
                {"wait for registers in setmaxnreg: warps 0-3 hold 24 a thread"});
}

TEST_CASE("hopper: a deadlock shows what each warp waits for") {
  const std::string text = replaced(kernel(), "mbarrier.arrive.shared::cta.b64 _, [%r101];", "");
  check_stopped(text, {"warp 0 lane 0: wait for the mbarrier at shared"});
  check_stopped(text, {"256 of 256 arrivals and 0 bytes are missing"});
}
