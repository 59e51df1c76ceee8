#include "tests/simulator/form_case.h"

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulator/kernel_run.h"

namespace attentune::simulator {
namespace {

// Registers without a type, so that one stands for integers and floats alike (PTX ISA 9.0, table 27).
struct Registers {
  std::string_view prefix;
  std::string_view type;
};

Registers bank_of(int bits) {
  switch (bits) {
    case 1:
      return {.prefix = "%p", .type = "pred"};
    case 16:
      return {.prefix = "%h", .type = "b16"};
    case 32:
      return {.prefix = "%r", .type = "b32"};
    case 64:
      return {.prefix = "%rd", .type = "b64"};
    default:
      throw std::invalid_argument(fmt::format("there are no registers of {} bits", bits));
  }
}

}  // namespace

std::uint64_t low_bits(std::uint64_t value, int bits) {
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

std::uint64_t executed(const std::string& opcode, const RegisterBits& bits, const std::vector<RegisterValue>& inputs,
                       const Options& options) {
  std::string moves;
  std::string instruction = fmt::format("{} {}0", opcode, bank_of(bits.output).prefix);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const int width = bits.inputs.at(i);
    const Registers bank = bank_of(width);
    moves += fmt::format("mov.{} {}{}, {:#x};\n", bank.type, bank.prefix, i + 1, low_bits(inputs[i].bits, width));
    instruction += fmt::format(", {}{}", bank.prefix, i + 1);
  }
  const std::string store = bits.output == 1
                                ? "selp.b32 %r0, 1, 0, %p0; st.global.b32 [%out], %r0;"
                                : fmt::format("st.global.b{} [%out], {}0;", bits.output, bank_of(bits.output).prefix);
  KernelRun kernel{.body = fmt::format("{}{};\n{}", moves, instruction, store),
                   .shape = {.block = {.x = 1}},
                   .options = options,
                   .out = std::vector<std::uint32_t>(2)};
  kernel.run();
  return kernel.out[0] | std::uint64_t{kernel.out[1]} << 32;
}

}  // namespace attentune::simulator
