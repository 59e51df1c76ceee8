#include "tests/simulator/ptx_text.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace attentune::ptx {
namespace {

constexpr std::array<std::string_view, 20> types = {"pred", "b8",    "b16",  "b32",    "b64", "b128", "u8",
                                                    "u16",  "u32",   "u64",  "s8",     "s16", "s32",  "s64",
                                                    "f16",  "f16x2", "bf16", "bf16x2", "f32", "f64"};
constexpr std::array<std::string_view, 5> spaces = {"param", "const", "global", "local", "shared"};

std::string_view name(Space space) { return spaces.at(static_cast<std::size_t>(space)); }

std::string declaration(const Variable& variable, std::string_view variable_name) {
  std::string text = fmt::format(".{} .align {} .b8 {}[{}]", name(variable.space), variable.alignment, variable_name,
                                 variable.bytes == 0 ? "" : std::to_string(variable.bytes));
  if (!variable.initial.empty())
    text += fmt::format(" = {{{}}}", fmt::join(variable.initial, ","));
  return text;
}

class EntryText {
 public:
  explicit EntryText(const Entry& entry) : entry_(entry) {}

  // Variables that entries share keep their names; the others get names that are theirs alone.
  std::string print(std::map<std::string, std::string>& shared) const {
    std::string params;
    std::string body;
    for (std::size_t index = 0; index < entry_.variables.size(); ++index) {
      const Variable& variable = entry_.variables[index];
      const std::string text = declaration(variable, variable_name(index));
      if (variable.space == Space::param)
        params += (params.empty() ? "" : ", ") + text;
      else if (is_shared(variable))
        shared[variable.name] = (variable.bytes == 0 ? ".extern " : "") + text + ";\n";
      else
        body += text + ";\n";
    }
    for (std::size_t index = 0; index < entry_.registers.size(); ++index)
      body += fmt::format(".reg .{} %v{};\n", types.at(static_cast<std::size_t>(entry_.registers[index].type)), index);
    for (std::size_t table = 0; table < entry_.branch_targets.size(); ++table) {
      std::string labels;
      for (const std::int32_t target : entry_.branch_targets[table])
        labels += fmt::format("{}$at{}", labels.empty() ? "" : ", ", target);
      body += fmt::format("$to{}: .branchtargets {};\n", table, labels);
    }
    const std::set<std::int32_t> labels = branched_to();
    for (std::size_t index = 0; index < entry_.instructions.size(); ++index) {
      if (labels.contains(static_cast<std::int32_t>(index)))
        body += fmt::format("$at{}:\n", index);
      body += instruction(entry_.instructions[index]) + "\n";
    }
    return fmt::format(".visible .entry {}({})\n{}{{\n{}$at{}:\n}}\n", entry_.name, params, bounds(), body,
                       entry_.instructions.size());
  }

 private:
  static bool is_shared(const Variable& variable) {
    return variable.space == Space::global || variable.space == Space::constant || variable.bytes == 0;
  }

  std::string variable_name(std::size_t index) const {
    const Variable& variable = entry_.variables.at(index);
    return is_shared(variable) ? variable.name : fmt::format("{}_v{}", entry_.name, index);
  }

  std::set<std::int32_t> branched_to() const {
    std::set<std::int32_t> labels;
    for (const std::vector<std::int32_t>& targets : entry_.branch_targets)
      labels.insert(targets.begin(), targets.end());
    for (const Instruction& branch : entry_.instructions) {
      for (const Operand& target : branch.operands) {
        if (target.kind == Operand::Kind::label)
          labels.insert(target.index);
      }
    }
    return labels;
  }

  std::string bounds() const {
    std::string text;
    const auto extents = [&](std::string_view directive, const std::array<std::int32_t, 3>& values) {
      if (values[0] != 0)
        text += fmt::format("{} {}, {}, {}\n", directive, values[0], values[1], values[2]);
    };
    extents(".maxntid", entry_.max_threads);
    extents(".reqntid", entry_.required_threads);
    extents(".explicitcluster\n.reqnctapercluster", entry_.cluster);
    if (entry_.min_blocks != 0)
      text += fmt::format(".minnctapersm {}\n", entry_.min_blocks);
    return text;
  }

  std::string instruction(const Instruction& value) const {
    std::string text;
    if (value.guard)
      text += fmt::format("@{}%v{} ", value.guard->negated ? "!" : "", value.guard->index);
    text += value.opcode;
    for (std::size_t index = 0; index < value.operands.size(); ++index)
      text += (index == 0 ? " " : ", ") + operand(value.operands[index]);
    return text + ";";
  }

  std::string operands(const std::vector<Operand>& elements, std::string_view separator) const {
    std::string text;
    for (const Operand& element : elements)
      text += (text.empty() ? "" : std::string(separator)) + operand(element);
    return text;
  }

  std::string operand(const Operand& value) const {
    const std::string offset = value.offset == 0 ? "" : fmt::format("+{}", value.offset);
    switch (value.kind) {
      case Operand::Kind::reg:
        return fmt::format("{}%v{}", value.negated ? "!" : "", value.index);
      case Operand::Kind::immediate:
        if (!value.is_float)
          return std::to_string(static_cast<std::int64_t>(value.bits));
        return value.float_bytes == 4 ? fmt::format("0f{:08x}", value.bits) : fmt::format("0d{:016x}", value.bits);
      case Operand::Kind::special:
        return value.text;
      case Operand::Kind::variable:
        return variable_name(static_cast<std::size_t>(value.index)) + offset;
      case Operand::Kind::address: {
        const std::string rest = value.elements.empty() ? "" : ", " + operands(value.elements, ", ");
        if (value.base_register >= 0)
          return fmt::format("[%v{}{}{}]", value.base_register, offset, rest);
        if (value.index >= 0)
          return fmt::format("[{}{}{}]", variable_name(static_cast<std::size_t>(value.index)), offset, rest);
        return fmt::format("[{}{}]", value.offset, rest);
      }
      case Operand::Kind::label:
        return fmt::format("$at{}", value.index);
      case Operand::Kind::targets:
        return fmt::format("$to{}", value.index);
      case Operand::Kind::vector:
        return fmt::format("{{{}}}", operands(value.elements, ", "));
      case Operand::Kind::pair:
        return operands(value.elements, "|");
      case Operand::Kind::sink:
        return "_";
    }
    return "";
  }

  const Entry& entry_;
};

}  // namespace

std::string to_text(const Module& module) {
  std::map<std::string, std::string> shared;
  std::string entries;
  for (const Entry& entry : module.entries)
    entries += EntryText(entry).print(shared);
  std::string text = fmt::format(".version {}\n.target {}\n.address_size 64\n", module.version, module.target);
  for (const auto& [variable, line] : shared)
    text += line;
  return text + entries;
}

}  // namespace attentune::ptx
