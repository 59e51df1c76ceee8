// Module: a PTX text as values: names resolved, scopes flattened, no meaning given to an opcode yet.
// Source: PTX ISA 9.0, sections 4 (syntax), 5 (state spaces and types), 6 (operands), 11 (directives).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attentune::ptx {

// Types a declaration may have; opcodes keep theirs in Instruction::modifiers.
enum class Type : std::uint8_t {
  pred,
  b8,
  b16,
  b32,
  b64,
  b128,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  f16x2,
  bf16,
  bf16x2,
  f32,
  f64
};
[[nodiscard]] int bytes_of(Type type) noexcept;  // pred: 1

enum class Space : std::uint8_t { param, constant, global, local, shared };

struct Register {
  std::string name;  // "%r12"; unique in its entry, inner scopes renamed
  Type type = Type::b32;
};

// A named piece of memory. For params `offset` is from the start of the entry's parameter block.
struct Variable {
  std::string name;
  Space space = Space::shared;
  std::int64_t bytes = 0;  // 0: .extern .shared without a size, the launch decides
  std::int64_t alignment = 1;
  std::int64_t offset = 0;
  std::vector<std::uint8_t> initial;  // shorter than `bytes`: the rest is zero (global and constant) or unwritten
};

struct Operand {
  enum class Kind : std::uint8_t {
    reg,        // index: into Entry::registers; `negated` for "!%p"
    immediate,  // bits: integers sign-extended to 64 bits, 0f... and 0d... as their own bits (is_float, float_bytes)
    special,    // text: "%tid.x"
    variable,   // index: into Entry::variables, plus offset: the address itself, as in "mov.u64 %rd, smem;"
    address,    // "[base+offset]": base_register >= 0, or index >= 0 for a variable, or neither (absolute);
                // elements: what follows a comma inside it, as the one vector of "[%rd, {%r1, %r2}]"
    label,      // index: the instruction it stands before (may be instructions.size())
    targets,    // index: into Entry::branch_targets, of brx.idx
    vector,     // "{a, b, c, d}": elements, none of them a vector
    pair,       // "%r1|%p1": two elements
    sink        // "_"
  };
  Kind kind = Kind::sink;
  std::int32_t index = -1;
  std::int32_t base_register = -1;
  std::int64_t offset = 0;
  std::uint64_t bits = 0;
  bool negated = false;
  bool is_float = false;
  std::uint8_t float_bytes = 0;
  std::string text;
  std::vector<Operand> elements;
};

struct SourceLine {
  std::int32_t file = 0;  // as in .file
  std::int32_t line = 0;  // 0: none known
};

struct Guard {
  std::int32_t index = -1;  // predicate register
  bool negated = false;
};

struct Instruction {
  std::string opcode;                  // "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
  std::vector<std::string> modifiers;  // its parts: "mma", "sync", ...; "::" parts stay together ("shared::cta")
  std::optional<Guard> guard;
  std::vector<Operand> operands;
  std::int32_t line = 0;  // in the PTX text, 1-based
  SourceLine source;      // of the last .loc before it
};

struct Entry {
  std::string name;
  std::vector<Register> registers;                        // those it names
  std::vector<Variable> variables;                        // params first, then its own and the module's that it names
  std::vector<std::vector<std::int32_t>> branch_targets;  // each .branchtargets: instructions, as of a label
  std::vector<Instruction> instructions;
  std::int64_t param_bytes = 0;
  std::array<std::int32_t, 3> max_threads{};       // .maxntid, whose product is the limit; 0: not stated
  std::array<std::int32_t, 3> required_threads{};  // .reqntid; 0: not stated
  std::array<std::int32_t, 3> cluster{};           // .reqnctapercluster; 0: not stated
  std::int32_t min_blocks = 0;                     // .minnctapersm
  std::int32_t max_registers = 0;                  // .maxnreg
};

struct Module {
  std::string version;             // "9.0"
  std::string target;              // "sm_90a"
  std::vector<std::string> files;  // by the number of .file; "" where a number is not used
  std::vector<Entry> entries;
};

// Throws RefusalError naming the line and what stands there, for everything this reader does not know. No input may
// crash it, and none takes more than memory and time linear in its length.
[[nodiscard]] Module parse(std::string_view text);

}  // namespace attentune::ptx
