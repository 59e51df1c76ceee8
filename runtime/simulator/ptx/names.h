// Names: what each name of an entry means where it stands. Scopes nest, as inline assembly makes them: "{ .reg .b32 t;
// }". PTX ISA 9.0, sections 4.4, 5.4.6 (parameterized names).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/simulator/ptx/declaration.h"
#include "runtime/simulator/ptx/lexer.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// The variables declared outside of entries.
class ModuleNames {
 public:
  // Throws RefusalError for a name that is taken.
  void declare(Declaration&& declaration);
  // Null when there is none. Entries copy what they name; throws RefusalError once all copies' data exceed 64 MiB,
  // which bounds the cost of many entries that share much data.
  [[nodiscard]] const Variable* find_for_copy(const Token& name);

 private:
  std::unordered_map<std::string_view, Variable> variables_;
  std::size_t copied_bytes_ = 0;
};

// Every member with a token throws RefusalError naming it: a name declared twice, a scope too deep.
class Names {
 public:
  struct Meaning {
    enum class Kind : std::uint8_t { reg, variable };
    Kind kind = Kind::reg;
    std::int32_t index = -1;  // into the entry's registers or variables
  };

  Names(Entry& entry, ModuleNames& module);

  void open_scope(const Token& brace);
  // False when the scope closed was the entry's own. Names resolved by then are gone; labels still unknown stay for
  // the scope around it.
  bool close_scope();

  void declare_register(const Token& name, Type type);
  void declare_registers(const Token& prefix, Type type, std::int64_t count);  // "%r<100>"
  void declare_variable(Declaration declaration);
  void declare_label(const Token& name);
  void declare_targets(const Token& name, const std::vector<Token>& labels);

  // Nothing: no register and no variable; it may be a label.
  [[nodiscard]] std::optional<Meaning> find(const Token& name);

  [[nodiscard]] bool is_predicate(const Meaning& meaning) const;

  // The label or .branchtargets that operand `operand` of instruction `instruction` names, known when its scope closes.
  void use_label(const Token& name, std::size_t instruction, std::size_t operand);

 private:
  struct RegisterRange {
    Type type = Type::b32;
    std::int64_t count = 0;
  };
  struct Label {
    bool is_table = false;
    std::int32_t index = -1;
  };
  struct Scope {
    std::int32_t serial = 0;  // 0: the entry's own
    std::size_t first_use = 0;
    std::unordered_map<std::string_view, Meaning> meanings;
    std::unordered_map<std::string_view, RegisterRange> ranges;
    std::unordered_map<std::string_view, Label> labels;
  };
  // A label used: by an operand of an instruction, or by an element of a branch table.
  struct Use {
    Token name;
    bool in_table = false;
    std::size_t owner = 0;
    std::size_t position = 0;
  };

  Meaning add_register(Scope& scope, std::string_view name, Type type);
  std::optional<Meaning> find_in_range(Scope& scope, std::string_view name);
  void refuse_if_taken(const Token& name);
  void resolve(const Use& use, const Label& label);
  [[nodiscard]] std::string unique_name(const Scope& scope, std::string_view name) const;

  Entry& entry_;
  ModuleNames& module_;
  std::vector<Scope> scopes_;
  std::int32_t scopes_opened_ = 0;
  std::vector<Use> uses_;
};

}  // namespace attentune::ptx
