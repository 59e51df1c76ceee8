#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/run.h"

using namespace attentune;
using namespace attentune::simulator;

namespace {

constexpr const char* vector_add = R"(
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .f32 %f<4>; .reg .b64 %rd<10>;
  ld.param.u64 %rd1, [a]; ld.param.u64 %rd2, [b]; ld.param.u64 %rd3, [c]; ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 bra DONE;
  cvta.to.global.u64 %rd4, %rd1; cvta.to.global.u64 %rd5, %rd2; cvta.to.global.u64 %rd6, %rd3;
  mul.wide.u32 %rd7, %r5, 4;
  add.s64 %rd4, %rd4, %rd7; add.s64 %rd5, %rd5, %rd7; add.s64 %rd6, %rd6, %rd7;
  ld.global.f32 %f1, [%rd4]; ld.global.nc.f32 %f2, [%rd5];
  add.f32 %f3, %f1, %f2;
  st.global.f32 [%rd6], %f3;
DONE:
)";

}  // namespace

TEST_CASE("a vector addition with a ragged last block") {
  constexpr std::uint32_t n = 1000;
  std::vector<float> a(n);
  std::vector<float> b(n, 0.5F);
  std::vector<float> c(n, -1);
  std::iota(a.begin(), a.end(), 0.0F);
  Simulator simulator(ptx::parse(module_text(".param .u64 a, .param .u64 b, .param .u64 c, .param .u32 n", vector_add)),
                      {});
  simulator.register_buffer(a.data(), n * 4, "a", BufferAccess::read);
  simulator.register_buffer(b.data(), n * 4, "b", BufferAccess::read);
  simulator.register_buffer(c.data(), n * 4, "c", BufferAccess::scratch);
  const Parameters parameters = Parameters() << a.data() << b.data() << c.data() << n;
  const Report report = simulator.run("k", {.grid = {.x = 8}, .block = {.x = 128}}, parameters.bytes());
  for (std::uint32_t i = 0; i < n; ++i)
    CHECK(c[i] == static_cast<float>(i) + 0.5F);
  CHECK(report.counts.of(Space::global) == Traffic{.read = n * 8, .written = n * 4});
  CHECK(report.counts.by_opcode.at("add.f32") == 32);
  CHECK(report.coverage.unentered.empty());
}
