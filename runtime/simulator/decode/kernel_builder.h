// KernelBuilder: an Entry decoded into a Kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/simulator/decode/kernel.h"
#include "runtime/simulator/ptx/control_flow.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::simulator {

// Where the module's .global variables are; it makes room for one the first time it is asked.
using GlobalVariables = std::function<std::uint64_t(const ptx::Variable&)>;

class KernelBuilder {
 public:
  KernelBuilder(const ptx::Entry& entry, const std::vector<std::string>& files, const GlobalVariables& globals);

  // Throws RefusalError for a form nobody handles, by name and line. Call once.
  [[nodiscard]] Kernel build();

  // For StepBuilder.
  [[nodiscard]] Slot register_slot(std::int32_t index) const { return registers_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int register_bits(std::int32_t index) const;
  [[nodiscard]] const std::string& register_name(std::int32_t index) const;
  [[nodiscard]] Slot constant(std::uint64_t bits, Bank bank);
  // A register nobody reads, for "_".
  [[nodiscard]] Slot ignored(Bank bank);
  // Throws out_of_range for one that is not served.
  [[nodiscard]] Slot special(std::string_view name, Bank bank);
  // The address a variable's name stands for, in its own space.
  [[nodiscard]] std::uint64_t variable_address(std::int32_t index) const;
  void add_slot(const Slot& slot) { kernel_.slots.push_back(slot); }

 private:
  Slot add_register(const std::string& name, Bank bank, Mask written);
  void place_variables(const GlobalVariables& globals);
  void decode(const ptx::Instruction& instruction);
  void find_joins(const ptx::ControlFlow& flow);
  void list_blocks(const ptx::ControlFlow& flow);

  const ptx::Entry& entry_;
  Kernel kernel_;
  std::vector<Slot> registers_;
  std::vector<std::uint64_t> variables_;
  std::map<std::pair<Bank, std::uint64_t>, Slot> constants_;
  std::map<std::pair<Bank, Special>, Slot> specials_;
  std::map<Bank, Slot> ignored_;
};

}  // namespace attentune::simulator
