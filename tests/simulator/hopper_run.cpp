#include "tests/simulator/hopper_run.h"

#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulator/run.h"

namespace attentune::simulator {

Report HopperRun::run() {
  const std::string text = fmt::format(
      ".version 9.0\n.target sm_90a\n.address_size 64\n.extern .shared .align 1024 .b8 memory[];\n"
      ".visible .entry k(.param .align 128 .b8 map[128], .param .u64 in, .param .u64 out)\n{}\n{{\n"
      ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<40>; .reg .f32 %f<256>; .reg .b64 %rd<20>;\n"
      ".reg .b64 %map, %in, %out; .reg .b32 %t, %m;\n"
      "mov.b64 %map, map; cvta.param.u64 %map, %map; ld.param.u64 %in, [in]; ld.param.u64 %out, [out];\n"
      "mov.u32 %t, %tid.x; mov.u32 %m, memory;\n{}\nret;\n}}\n",
      directives.empty() ? fmt::format(".maxntid {}\n.minnctapersm 1", threads) : directives, body);
  Simulator simulator(ptx::parse(text), options);
  if (!in.empty())
    simulator.register_buffer(in.data(), in.size(), "in", BufferAccess::read);
  if (!out.empty())
    simulator.register_buffer(out.data(), out.size(), "out", out_access);
  return simulator.run(
      "k", {.grid = grid, .block = {.x = threads}, .cluster = cluster, .dynamic_shared_bytes = shared_bytes},
      (Parameters() << encode(map) << in.data() << out.data()).bytes());
}

std::string HopperRun::fault() {
  return fault_of([&] { run(); });
}

std::string copy_in(std::uint32_t bytes, std::uint32_t threads) {
  return fmt::format(R"(
    mul.lo.u32 %r0, %t, 16;
    IN: setp.ge.u32 %p0, %r0, {};
    @%p0 bra IN_DONE;
    cvt.u64.u32 %rd0, %r0; add.u64 %rd0, %rd0, %in; add.u32 %r1, %r0, %m;
    ld.global.v4.u32 {{%r2, %r3, %r4, %r5}}, [%rd0]; st.shared.v4.u32 [%r1], {{%r2, %r3, %r4, %r5}};
    add.u32 %r0, %r0, {}; bra IN;
    IN_DONE: fence.proxy.async.shared::cta; bar.sync 0;
)",
                     bytes, 16 * threads);
}

std::string copy_out(std::uint32_t bytes, std::uint32_t threads) {
  return fmt::format(R"(
    mul.lo.u32 %r0, %t, 16;
    OUT: setp.ge.u32 %p0, %r0, {};
    @%p0 bra OUT_DONE;
    cvt.u64.u32 %rd0, %r0; add.u64 %rd0, %rd0, %out; add.u32 %r1, %r0, %m;
    ld.shared.v4.u32 {{%r2, %r3, %r4, %r5}}, [%r1]; st.global.v4.u32 [%rd0], {{%r2, %r3, %r4, %r5}};
    add.u32 %r0, %r0, {}; bra OUT;
    OUT_DONE:
)",
                     bytes, 16 * threads);
}

}  // namespace attentune::simulator
