#include "runtime/simulator/decode/step_builder.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "generator/error.h"
#include "runtime/simulator/decode/kernel_builder.h"
#include "runtime/simulator/memory/windows.h"

namespace attentune::simulator {

namespace {

using Kind = ptx::Operand::Kind;

Bank bank_of(int bits) noexcept { return bits == 1 ? Bank::predicate : bits == 64 ? Bank::wide : Bank::word; }

}  // namespace

bool StepBuilder::has(std::string_view modifier) const noexcept {
  return std::ranges::find(instruction_.modifiers, modifier) != instruction_.modifiers.end();
}

const ptx::Operand& StepBuilder::operand(std::size_t index) const {
  if (index >= instruction_.operands.size())
    refuse("it has too few operands");
  return instruction_.operands[index];
}

void StepBuilder::expect_operands(std::size_t least, std::size_t most) const {
  if (operands() < least || operands() > most)
    refuse(fmt::format("it has {} operands", operands()));
}

void StepBuilder::output(const ptx::Operand& operand, int bits, bool wider_fits) {
  if (step.inputs != 0)
    refuse("its outputs do not come first");
  if (operand.kind == Kind::sink) {
    kernel_.add_slot(kernel_.ignored(bank_of(bits)));
  } else {
    if (operand.kind != Kind::reg || operand.negated)
      refuse("its destination is not a register");
    const int has = kernel_.register_bits(operand.index);
    if (has != bits && !(wider_fits && has > bits))
      refuse(fmt::format("{} has {} bits where {} are written", kernel_.register_name(operand.index), has, bits));
    kernel_.add_slot(kernel_.register_slot(operand.index));
  }
  ++step.outputs;
}

void StepBuilder::input(const ptx::Operand& operand, int bits, bool wider_fits) {
  ++step.inputs;
  switch (operand.kind) {
    case Kind::reg: {
      const int has = kernel_.register_bits(operand.index);
      if (has != bits && !(wider_fits && has > bits))
        refuse(fmt::format("{} has {} bits where {} are read", kernel_.register_name(operand.index), has, bits));
      Slot slot = kernel_.register_slot(operand.index);
      slot.negated = operand.negated;
      if (slot.negated && slot.bank != Bank::predicate)
        refuse("\"!\" stands before a register that is no predicate");
      return kernel_.add_slot(slot);
    }
    case Kind::immediate:
      if (operand.is_float && operand.float_bytes * 8 != bits)
        refuse(fmt::format("a float of {} bits stands where {} are read", operand.float_bytes * 8, bits));
      return kernel_.add_slot(kernel_.constant(bits == 16 ? operand.bits & 0xFFFF : operand.bits, bank_of(bits)));
    case Kind::special:
      try {
        return kernel_.add_slot(kernel_.special(operand.text, bank_of(bits)));
      } catch (const std::out_of_range&) {
        refuse(fmt::format("the simulator does not serve {}", operand.text));
      }
    case Kind::variable:
      return kernel_.add_slot(kernel_.constant(
          kernel_.variable_address(operand.index) + static_cast<std::uint64_t>(operand.offset), bank_of(bits)));
    default:
      refuse("an operand is of a kind that this form does not take");
  }
}

void StepBuilder::outputs(const ptx::Operand& operand, int bits, std::size_t count, bool wider_fits) {
  if (operand.kind != Kind::vector) {
    if (count != 1)
      refuse(fmt::format("{} registers are expected in braces", count));
    return output(operand, bits, wider_fits);
  }
  if (operand.elements.size() != count)
    refuse(fmt::format("{} registers stand in braces where {} are expected", operand.elements.size(), count));
  for (const ptx::Operand& element : operand.elements)
    output(element, bits, wider_fits);
}

void StepBuilder::inputs(const ptx::Operand& operand, int bits, std::size_t count, bool wider_fits) {
  if (operand.kind != Kind::vector) {
    if (count != 1)
      refuse(fmt::format("{} registers are expected in braces", count));
    return input(operand, bits, wider_fits);
  }
  if (operand.elements.size() != count)
    refuse(fmt::format("{} registers stand in braces where {} are expected", operand.elements.size(), count));
  for (const ptx::Operand& element : operand.elements)
    input(element, bits, wider_fits);
}

void StepBuilder::address(const ptx::Operand& operand, Space space) {
  if (operand.kind != Kind::address || !operand.elements.empty())
    refuse("an address in brackets is expected");
  step.offset = operand.offset;
  if (operand.base_register >= 0) {
    const int bits = kernel_.register_bits(operand.base_register);
    if (bits != 64 && !(bits == 32 && (space == Space::shared || space == Space::local || space == Space::param)))
      refuse(fmt::format("{} of {} bits is no address there", kernel_.register_name(operand.base_register), bits));
    kernel_.add_slot(kernel_.register_slot(operand.base_register));
    ++step.inputs;
    return;
  }
  constant_input(operand.index >= 0 ? kernel_.variable_address(operand.index) : 0, Bank::wide);
}

void StepBuilder::constant_input(std::uint64_t bits, Bank bank) {
  kernel_.add_slot(kernel_.constant(bits, bank));
  ++step.inputs;
}

int StepBuilder::register_bits(const ptx::Operand& operand) const { return kernel_.register_bits(operand.index); }

std::uint64_t StepBuilder::immediate(std::size_t index) const {
  const ptx::Operand& found = operand(index);
  if (found.kind != Kind::immediate || found.is_float)
    refuse(fmt::format("operand {} must be an integer immediate", index + 1));
  return found.bits;
}

std::int32_t StepBuilder::target(std::size_t index) const {
  const ptx::Operand& found = operand(index);
  if (found.kind != Kind::label)
    refuse("a label is expected");
  return found.index;
}

std::uint32_t StepBuilder::target_list(std::size_t index) const {
  const ptx::Operand& found = operand(index);
  if (found.kind != Kind::targets)
    refuse("a list of labels is expected");
  return static_cast<std::uint32_t>(found.index);
}

void StepBuilder::refuse(std::string_view why) const {
  throw RefusalError({.field = fmt::format("PTX line {}", instruction_.line),
                      .value = instruction_.opcode,
                      .limit = std::string(why),
                      .remedy = "use a form the simulator has a handler for"});
}

}  // namespace attentune::simulator
