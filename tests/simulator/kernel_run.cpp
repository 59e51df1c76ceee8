#include "tests/simulator/kernel_run.h"

#include <fmt/format.h>

#include "runtime/simulator/ptx/module.h"

namespace attentune::simulator {

Report KernelRun::run() {
  const std::string text = fmt::format(
      ".version 9.0\n.target {}\n.address_size 64\n{}\n.visible .entry k(.param .u64 out)\n{{\n"
      ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<40>; .reg .f32 %f<16>; .reg .b64 %rd<16>; .reg .f64 %d<8>;\n"
      ".reg .b64 %out; .reg .b64 %mine; .reg .b32 %t; {}\n"
      "ld.param.u64 %out, [out]; mov.u32 %t, %tid.x; mad.wide.u32 %mine, %t, 4, %out;\n{}\nret;\n}}\n",
      target, globals, registers, body);
  Simulator simulator(ptx::parse(text), options);
  simulator.register_buffer(out.data(), out.size() * 4, "out", access);
  return simulator.run("k", shape, (Parameters() << out.data()).bytes());
}

std::string KernelRun::fault() {
  return fault_of([&] { run(); });
}

std::vector<std::uint32_t> lanes_of(std::string_view body, std::string_view result) {
  const std::string text = fmt::format("{}\nst.global.b32 [%mine], {};", body, result);
  KernelRun kernel{.body = text};
  kernel.run();
  kernel.out.resize(32);
  return kernel.out;
}

}  // namespace attentune::simulator
