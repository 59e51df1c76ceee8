#include "runtime/simulator/decode/kernel_builder.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "runtime/simulator/decode/registry.h"
#include "runtime/simulator/decode/special_registers.h"
#include "runtime/simulator/decode/step_builder.h"
#include "runtime/simulator/memory/windows.h"
#include "runtime/simulator/ptx/control_flow.h"

namespace attentune::simulator {

namespace {

Bank bank_of(ptx::Type type) noexcept {
  if (type == ptx::Type::pred)
    return Bank::predicate;
  return ptx::bytes_of(type) == 8 ? Bank::wide : Bank::word;
}

std::int64_t align(std::int64_t offset, std::int64_t alignment) noexcept {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace

std::string Kernel::source_of(std::size_t step) const {
  const ptx::SourceLine& source = sources[step];
  if (source.line == 0)
    return "";
  const auto file = static_cast<std::size_t>(source.file);
  const std::string_view path = file < files.size() ? std::string_view(files[file]) : "";
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), source.line);
}

KernelBuilder::KernelBuilder(const ptx::Entry& entry, const std::vector<std::string>& files,
                             const GlobalVariables& globals)
    : entry_(entry) {
  kernel_.name = entry.name;
  kernel_.files = files;
  kernel_.branch_targets = entry.branch_targets;
  kernel_.param_bytes = entry.param_bytes;
  kernel_.max_threads = entry.max_threads;
  kernel_.required_threads = entry.required_threads;
  kernel_.cluster = entry.cluster;
  kernel_.min_blocks = entry.min_blocks;
  kernel_.max_registers = entry.max_registers;
  for (const ptx::Instruction& instruction : entry.instructions) {
    if (instruction.opcode.starts_with("setmaxnreg.inc") && !instruction.operands.empty())
      kernel_.most_registers =
          std::max(kernel_.most_registers, static_cast<std::uint32_t>(instruction.operands.front().bits));
  }
  kernel_.async_proxy = std::ranges::any_of(entry.instructions, [](const ptx::Instruction& instruction) {
    const std::string& mnemonic = instruction.modifiers.front();
    return mnemonic == "wgmma" || mnemonic == "setmaxnreg" || instruction.opcode.starts_with("cp.async.bulk") ||
           instruction.opcode.starts_with("cp.reduce.async.bulk");
  });
  registers_.reserve(entry.registers.size());
  for (const ptx::Register& one : entry.registers)
    registers_.push_back(add_register(one.name, bank_of(one.type), 0));
  place_variables(globals);
}

int KernelBuilder::register_bits(std::int32_t index) const {
  const ptx::Type type = entry_.registers[static_cast<std::size_t>(index)].type;
  return type == ptx::Type::pred ? 1 : 8 * ptx::bytes_of(type);
}

const std::string& KernelBuilder::register_name(std::int32_t index) const {
  return entry_.registers[static_cast<std::size_t>(index)].name;
}

Slot KernelBuilder::add_register(const std::string& name, Bank bank, Mask written) {
  RegisterFile& file = kernel_.initial;
  Slot slot{.number = static_cast<std::uint32_t>(file.written.size()), .bank = bank};
  switch (bank) {
    case Bank::predicate:
      slot.at = static_cast<std::uint32_t>(file.predicates.size());
      file.predicates.emplace_back();
      break;
    case Bank::word:
      slot.at = static_cast<std::uint32_t>(file.words.size());
      file.words.emplace_back();
      break;
    case Bank::wide:
      slot.at = static_cast<std::uint32_t>(file.wides.size());
      file.wides.emplace_back();
      break;
  }
  file.written.push_back(written);
  kernel_.register_names.push_back(name);
  return slot;
}

Slot KernelBuilder::constant(std::uint64_t bits, Bank bank) {
  const auto [found, added] = constants_.try_emplace({bank, bits});
  if (!added)
    return found->second;
  found->second = add_register("an immediate", bank, every_lane);
  const Slot& slot = found->second;
  if (bank == Bank::predicate)
    kernel_.initial.predicates[slot.at] = bits != 0 ? every_lane : 0;
  else if (bank == Bank::word)
    kernel_.initial.words[slot.at].fill(static_cast<std::uint32_t>(bits));
  else
    kernel_.initial.wides[slot.at].fill(bits);
  return slot;
}

Slot KernelBuilder::ignored(Bank bank) {
  const auto [found, added] = ignored_.try_emplace(bank);
  if (added)
    found->second = add_register("_", bank, 0);
  return found->second;
}

Slot KernelBuilder::special(std::string_view name, Bank bank) {
  const Special which = special_register(name);
  const auto [found, added] = specials_.try_emplace({bank, which});
  if (added) {
    found->second = add_register(std::string(name), bank, every_lane);
    kernel_.specials.push_back({.special = which, .slot = found->second});
  }
  return found->second;
}

std::uint64_t KernelBuilder::variable_address(std::int32_t index) const {
  return variables_[static_cast<std::size_t>(index)];
}

// Shared: those with a size one after the other, then the launch's dynamic memory, all .extern arrays at its begin
// (PTX ISA 9.0, section 5.1.7).
void KernelBuilder::place_variables(const GlobalVariables& globals) {
  std::int64_t dynamic_alignment = 1;
  for (const ptx::Variable& variable : entry_.variables) {
    std::int64_t offset = variable.offset;
    if (variable.space == ptx::Space::shared && variable.bytes != 0) {
      offset = align(kernel_.static_shared_bytes, variable.alignment);
      kernel_.static_shared_bytes = offset + variable.bytes;
      offset += static_cast<std::int64_t>(shared_begin);
    } else if (variable.space == ptx::Space::shared) {
      dynamic_alignment = std::max(dynamic_alignment, variable.alignment);
    } else if (variable.space == ptx::Space::local) {
      offset = align(kernel_.local_bytes, variable.alignment);
      kernel_.local_bytes = offset + variable.bytes;
    } else if (variable.space == ptx::Space::constant) {
      offset = align(static_cast<std::int64_t>(kernel_.constants.size()), variable.alignment);
      kernel_.constants.resize(static_cast<std::size_t>(offset));
      kernel_.constants.insert(kernel_.constants.end(), variable.initial.begin(), variable.initial.end());
      kernel_.constants.resize(static_cast<std::size_t>(offset + variable.bytes));
    } else if (variable.space == ptx::Space::global) {
      offset = static_cast<std::int64_t>(globals(variable));
    }
    variables_.push_back(static_cast<std::uint64_t>(offset));
  }
  kernel_.static_shared_bytes = align(kernel_.static_shared_bytes, dynamic_alignment);
  kernel_.local_bytes = align(kernel_.local_bytes, 16);
  for (std::size_t i = 0; i < entry_.variables.size(); ++i) {
    if (entry_.variables[i].space == ptx::Space::shared && entry_.variables[i].bytes == 0)
      variables_[i] = shared_begin + static_cast<std::uint64_t>(kernel_.static_shared_bytes);
  }
}

void KernelBuilder::decode(const ptx::Instruction& instruction) {
  static const Registry registry = all_forms();
  StepBuilder builder(*this, instruction);
  const std::size_t first_slot = kernel_.slots.size();
  if (const Form* form = registry.form(instruction.opcode)) {
    builder.expect_operands(form->inputs + 1, form->inputs + 1);
    builder.step.handler = form->handler;
    builder.step.computes = true;
    builder.step.category = form->category;
    builder.output(builder.operand(0), form->output_bits);
    for (std::size_t i = 0; i < form->inputs; ++i)
      builder.input(builder.operand(i + 1), form->input_bits[i]);
  } else if (const Decoder decoder = registry.decoder(instruction.modifiers.front())) {
    decoder(builder);
  } else {
    builder.refuse("the simulator has no handler for it");
  }
  Step& step = builder.step;
  if (instruction.guard) {
    step.guarded = true;
    step.guard = register_slot(instruction.guard->index);
    step.guard.negated = instruction.guard->negated;
  }
  if (step.convergence == Convergence::none && instruction.opcode.find(".aligned") != std::string::npos)
    step.convergence = Convergence::aligned;
  // The position for now: the slots still move.
  step.first_slot = static_cast<std::uint32_t>(first_slot);
  kernel_.steps.push_back(step);
  kernel_.lines.push_back(instruction.line);
  kernel_.sources.push_back(instruction.source);
  kernel_.opcodes.push_back(instruction.opcode);
}

void KernelBuilder::find_joins(const ptx::ControlFlow& flow) {
  for (const ptx::Block& block : flow.blocks) {
    Step& last = kernel_.steps[static_cast<std::size_t>(block.end) - 1];
    if (static_cast<std::size_t>(block.post_dominator) < flow.blocks.size())
      last.join = flow.blocks[static_cast<std::size_t>(block.post_dominator)].first;
  }
}

void KernelBuilder::list_blocks(const ptx::ControlFlow& flow) {
  std::vector<std::int32_t> places(flow.blocks.size());
  for (std::size_t n = 0; n < flow.blocks.size(); ++n) {
    places[n] = static_cast<std::int32_t>(kernel_.blocks.size());
    if (const ptx::Block& block = flow.blocks[n]; block.reachable)
      kernel_.blocks.push_back({.first = block.first, .end = block.end, .previous = {}});
  }
  for (std::size_t n = 0; n < flow.blocks.size(); ++n) {
    for (const std::int32_t next : flow.blocks[n].successors) {
      const auto successor = static_cast<std::size_t>(next);
      if (flow.blocks[n].reachable && successor < flow.blocks.size())
        kernel_.blocks[static_cast<std::size_t>(places[successor])].previous.push_back(places[n]);
    }
  }
}

Kernel KernelBuilder::build() {
  for (const ptx::Instruction& instruction : entry_.instructions)
    decode(instruction);
  const ptx::ControlFlow flow = ptx::control_flow(entry_);
  find_joins(flow);
  list_blocks(flow);
  // A kernel may run off its end, and branch there.
  decode({.opcode = "ret", .modifiers = {"ret"}});
  for (Step& step : kernel_.steps)
    step.slots = kernel_.slots.data() + step.first_slot;
  return std::move(kernel_);
}

}  // namespace attentune::simulator
