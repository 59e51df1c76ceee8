#include "runtime/simulator/ptx/names.h"

#include <charconv>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace attentune::ptx {
namespace {

constexpr std::size_t most_copied_bytes = std::size_t{64} << 20;
// Unresolved labels move outwards scope by scope, so the depth bounds the work for each.
constexpr std::size_t most_scopes = 64;

}  // namespace

void ModuleNames::declare(Declaration&& declaration) {
  if (declaration.name.is("_"))
    refuse(declaration.name, "'_' is no name, it stands for a result nobody wants", "use a name");
  if (!variables_.try_emplace(declaration.name.text, std::move(declaration.variable)).second)
    refuse(declaration.name, "this name is declared twice", "rename one of them");
}

const Variable* ModuleNames::find_for_copy(const Token& name) {
  const auto found = variables_.find(name.text);
  if (found == variables_.end())
    return nullptr;
  copied_bytes_ += found->second.initial.size();
  if (copied_bytes_ > most_copied_bytes)
    refuse(name, "the entries of a module may use 64 MiB of initialized data", "split the module");
  return &found->second;
}

Names::Names(Entry& entry, ModuleNames& module) : entry_(entry), module_(module) { scopes_.emplace_back(); }

void Names::open_scope(const Token& brace) {
  if (scopes_.size() == most_scopes)
    refuse(brace, fmt::format("scopes nest {} deep at most", most_scopes), "merge some");
  scopes_.push_back({.serial = ++scopes_opened_, .first_use = uses_.size()});
}

bool Names::close_scope() {
  const Scope& scope = scopes_.back();
  std::size_t kept = scope.first_use;
  for (std::size_t use = scope.first_use; use < uses_.size(); ++use) {
    const auto label = scope.labels.find(uses_[use].name.text);
    if (label != scope.labels.end())
      resolve(uses_[use], label->second);
    else
      uses_[kept++] = uses_[use];
  }
  uses_.resize(kept);
  scopes_.pop_back();
  if (!scopes_.empty())
    return true;
  if (!uses_.empty())
    refuse(uses_.front().name, "nothing of this name is declared where it stands", "declare it before its use");
  return false;
}

void Names::declare_register(const Token& name, Type type) {
  refuse_if_taken(name);
  add_register(scopes_.back(), name.text, type);
}

void Names::declare_registers(const Token& prefix, Type type, std::int64_t count) {
  if (!scopes_.back().ranges.try_emplace(prefix.text, RegisterRange{.type = type, .count = count}).second)
    refuse(prefix, "these registers are declared twice", "rename some");
}

void Names::declare_variable(Declaration declaration) {
  refuse_if_taken(declaration.name);
  Scope& scope = scopes_.back();
  declaration.variable.name = unique_name(scope, declaration.name.text);
  const Meaning meaning{.kind = Meaning::Kind::variable, .index = static_cast<std::int32_t>(entry_.variables.size())};
  entry_.variables.push_back(std::move(declaration.variable));
  scope.meanings.emplace(declaration.name.text, meaning);
}

void Names::declare_label(const Token& name) {
  refuse_if_taken(name);
  scopes_.back().labels.emplace(
      name.text, Label{.is_table = false, .index = static_cast<std::int32_t>(entry_.instructions.size())});
}

void Names::declare_targets(const Token& name, const std::vector<Token>& labels) {
  refuse_if_taken(name);
  const std::size_t table = entry_.branch_targets.size();
  scopes_.back().labels.emplace(name.text, Label{.is_table = true, .index = static_cast<std::int32_t>(table)});
  entry_.branch_targets.emplace_back(labels.size(), -1);
  for (std::size_t position = 0; position < labels.size(); ++position)
    uses_.push_back({.name = labels[position], .in_table = true, .owner = table, .position = position});
}

std::optional<Names::Meaning> Names::find(const Token& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->meanings.find(name.text);
    if (found != scope->meanings.end())
      return found->second;
    if (const std::optional<Meaning> meaning = find_in_range(*scope, name.text))
      return meaning;
    if (scope->labels.contains(name.text))
      return std::nullopt;
  }
  const Variable* const variable = module_.find_for_copy(name);
  if (variable == nullptr)
    return std::nullopt;
  const Meaning meaning{.kind = Meaning::Kind::variable, .index = static_cast<std::int32_t>(entry_.variables.size())};
  entry_.variables.push_back(*variable);
  scopes_.front().meanings.emplace(name.text, meaning);
  return meaning;
}

bool Names::is_predicate(const Meaning& meaning) const {
  return meaning.kind == Meaning::Kind::reg &&
         entry_.registers[static_cast<std::size_t>(meaning.index)].type == Type::pred;
}

void Names::use_label(const Token& name, std::size_t instruction, std::size_t operand) {
  uses_.push_back({.name = name, .in_table = false, .owner = instruction, .position = operand});
}

Names::Meaning Names::add_register(Scope& scope, std::string_view name, Type type) {
  const Meaning meaning{.kind = Meaning::Kind::reg, .index = static_cast<std::int32_t>(entry_.registers.size())};
  entry_.registers.push_back({.name = unique_name(scope, name), .type = type});
  scope.meanings.emplace(name, meaning);
  return meaning;
}

// Registers of a range come to be when they are first named: a short text may declare billions.
std::optional<Names::Meaning> Names::find_in_range(Scope& scope, std::string_view name) {
  if (scope.ranges.empty())
    return std::nullopt;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  const std::string_view number = name.substr(digits);
  if (number.empty() || (number.size() > 1 && number.front() == '0'))
    return std::nullopt;
  const auto range = scope.ranges.find(name.substr(0, digits));
  std::int64_t index = 0;
  if (range == scope.ranges.end() ||
      std::from_chars(number.data(), number.data() + number.size(), index).ec != std::errc() ||
      index >= range->second.count)
    return std::nullopt;
  return add_register(scope, name, range->second.type);
}

void Names::refuse_if_taken(const Token& name) {
  if (name.is("_"))
    refuse(name, "'_' is no name, it stands for a result nobody wants", "use a name");
  Scope& scope = scopes_.back();
  if (scope.meanings.contains(name.text) || scope.labels.contains(name.text) || find_in_range(scope, name.text))
    refuse(name, "this name is declared twice in its scope", "rename one of them");
}

void Names::resolve(const Use& use, const Label& label) {
  if (use.in_table) {
    if (label.is_table)
      refuse(use.name, "a .branchtargets lists labels only", "name a label");
    entry_.branch_targets[use.owner][use.position] = label.index;
    return;
  }
  Operand& operand = entry_.instructions[use.owner].operands[use.position];
  operand.kind = label.is_table ? Operand::Kind::targets : Operand::Kind::label;
  operand.index = label.index;
}

std::string Names::unique_name(const Scope& scope, std::string_view name) const {
  return scope.serial == 0 ? std::string(name) : fmt::format("{}#{}", name, scope.serial);
}

}  // namespace attentune::ptx
