// StepBuilder: what a form's decoder uses to turn the operands of one instruction into slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/simulator/decode/kernel.h"
#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::simulator {

class KernelBuilder;

class StepBuilder {
 public:
  StepBuilder(KernelBuilder& kernel, const ptx::Instruction& instruction)
      : kernel_(kernel), instruction_(instruction) {}

  Step step;

  [[nodiscard]] const std::vector<std::string>& modifiers() const noexcept { return instruction_.modifiers; }
  [[nodiscard]] bool has(std::string_view modifier) const noexcept;
  [[nodiscard]] std::string_view last_modifier() const noexcept { return instruction_.modifiers.back(); }

  [[nodiscard]] std::size_t operands() const noexcept { return instruction_.operands.size(); }
  // Refuses the instruction when it has fewer.
  [[nodiscard]] const ptx::Operand& operand(std::size_t index) const;
  void expect_operands(std::size_t least, std::size_t most) const;

  // Adds a slot for an operand of `bits` (1: a predicate, 16, 32, 64). All outputs come before the inputs.
  // wider_fits: a register wider than `bits` is fine (PTX ISA 9.0, section 9.4.1).
  void output(const ptx::Operand& operand, int bits, bool wider_fits = false);
  void input(const ptx::Operand& operand, int bits, bool wider_fits = false);
  // The elements of "{a, b}", or the operand itself.
  void outputs(const ptx::Operand& operand, int bits, std::size_t count, bool wider_fits = false);
  void inputs(const ptx::Operand& operand, int bits, std::size_t count, bool wider_fits = false);
  // "[%rd4+16]", "[smem]", "[fa_param_0+8]": the base becomes an input, the rest step.offset.
  void address(const ptx::Operand& operand, Space space);
  void constant_input(std::uint64_t bits, Bank bank);

  [[nodiscard]] int register_bits(const ptx::Operand& operand) const;

  // The value of an operand that the form wants as an immediate.
  [[nodiscard]] std::uint64_t immediate(std::size_t index) const;
  [[nodiscard]] std::int32_t target(std::size_t index) const;        // a label
  [[nodiscard]] std::uint32_t target_list(std::size_t index) const;  // of Kernel::branch_targets

  [[noreturn]] void refuse(std::string_view why) const;

 private:
  KernelBuilder& kernel_;
  const ptx::Instruction& instruction_;
};

}  // namespace attentune::simulator
