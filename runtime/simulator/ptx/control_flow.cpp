#include "runtime/simulator/ptx/control_flow.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/simulator/ptx/lexer.h"

namespace attentune::ptx {
namespace {

bool is_branch(const Instruction& instruction) noexcept {
  const std::string& name = instruction.modifiers.front();
  return name == "bra" || name == "brx";
}

bool ends_lane(const Instruction& instruction) noexcept {
  const std::string& name = instruction.modifiers.front();
  return name == "ret" || name == "exit" || name == "trap";
}

// The instructions a branch may go to, of those it names. "bra L;" or "brx.idx %r, table;"
std::vector<std::int32_t> targets_of(const Entry& entry, const Instruction& branch) {
  if (!branch.operands.empty()) {
    const Operand& last = branch.operands.back();
    if (last.kind == Operand::Kind::label)
      return {last.index};
    if (last.kind == Operand::Kind::targets)
      return entry.branch_targets[static_cast<std::size_t>(last.index)];
  }
  refuse({.kind = Token::Kind::word, .text = branch.opcode, .line = branch.line}, "a branch names where it goes",
         "give it a label");
}

// By instruction: whether a block begins there. The entry's end counts as one more.
std::vector<bool> block_begins(const Entry& entry) {
  const std::size_t count = entry.instructions.size();
  std::vector<bool> begins(count + 1, false);
  begins.front() = true;
  for (std::size_t index = 0; index < count; ++index) {
    const Instruction& instruction = entry.instructions[index];
    if (!is_branch(instruction) && !ends_lane(instruction))
      continue;
    begins[index + 1] = true;
    if (!is_branch(instruction))
      continue;
    for (const std::int32_t target : targets_of(entry, instruction))
      begins[static_cast<std::size_t>(target)] = true;
  }
  return begins;
}

// The instructions that may run after this last one of a block, the number of instructions for the end.
std::vector<std::int32_t> following(const Entry& entry, std::int32_t last) {
  const Instruction& instruction = entry.instructions[static_cast<std::size_t>(last)];
  std::vector<std::int32_t> next;
  if (is_branch(instruction))
    next = targets_of(entry, instruction);
  else if (ends_lane(instruction))
    next = {static_cast<std::int32_t>(entry.instructions.size())};
  if (instruction.guard || next.empty())
    next.push_back(last + 1);
  return next;
}

void mark_reachable(std::vector<Block>& blocks) {
  std::vector<std::int32_t> pending;
  const auto reach = [&](std::int32_t block) {
    if (block == static_cast<std::int32_t>(blocks.size()) || blocks[static_cast<std::size_t>(block)].reachable)
      return;
    blocks[static_cast<std::size_t>(block)].reachable = true;
    pending.push_back(block);
  };
  reach(0);
  while (!pending.empty()) {
    const std::int32_t block = pending.back();
    pending.pop_back();
    for (const std::int32_t successor : blocks[static_cast<std::size_t>(block)].successors)
      reach(successor);
  }
}

}  // namespace

ControlFlow control_flow(const Entry& entry) {
  const auto count = static_cast<std::int32_t>(entry.instructions.size());
  const std::vector<bool> begins = block_begins(entry);
  ControlFlow flow;
  flow.block_of.reserve(entry.instructions.size());
  for (std::int32_t index = 0; index < count; ++index) {
    if (begins[static_cast<std::size_t>(index)])
      flow.blocks.push_back({.first = index});
    flow.blocks.back().end = index + 1;
    flow.block_of.push_back(static_cast<std::int32_t>(flow.blocks.size()) - 1);
  }

  const auto end = static_cast<std::int32_t>(flow.blocks.size());
  std::vector<std::vector<std::int32_t>> successors;
  for (Block& block : flow.blocks) {
    for (const std::int32_t next : following(entry, block.end - 1))
      block.successors.push_back(next == count ? end : flow.block_of[static_cast<std::size_t>(next)]);
    std::sort(block.successors.begin(), block.successors.end());
    block.successors.erase(std::unique(block.successors.begin(), block.successors.end()), block.successors.end());
    successors.push_back(block.successors);
  }
  const std::vector<std::int32_t> post_dominators = immediate_post_dominators(successors);
  for (std::size_t block = 0; block < flow.blocks.size(); ++block)
    flow.blocks[block].post_dominator = post_dominators[block];
  mark_reachable(flow.blocks);
  return flow;
}

}  // namespace attentune::ptx
