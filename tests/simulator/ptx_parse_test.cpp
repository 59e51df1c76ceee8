// The reader of PTX, one syntactic form at a time. Sources: PTX ISA 9.0, sections 4 to 6 and 11.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "generator/error.h"
#include "runtime/simulator/ptx/module.h"

namespace {

using attentune::ptx::Entry;
using attentune::ptx::Instruction;
using attentune::ptx::Module;
using attentune::ptx::Operand;
using attentune::ptx::parse;
using attentune::ptx::Space;
using attentune::ptx::Type;

constexpr const char* header = ".version 9.0\n.target sm_90a\n.address_size 64\n";

// The entry of this body, whose first line is line 5.
Entry entry_of(const std::string& body) {
  return parse(std::string(header) + ".visible .entry k(.param .u64 k_param_0) {\n" + body + "\n}\n").entries.at(0);
}

// The sentence of the refusal; "" when there is none.
std::string refusal_of(const std::string& text) {
  try {
    static_cast<void>(parse(text));
  } catch (const attentune::RefusalError& error) {
    CHECK_FALSE(error.refusal().remedy.empty());
    return error.what();
  }
  return "";
}

std::string body_refusal(const std::string& body) {
  return refusal_of(std::string(header) + ".entry k() {\n" + body + "\n}\n");
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string registers =
    ".reg .b32 %r<100>; .reg .b64 %rd<9>; .reg .pred %p<4>; .reg .b16 %rs<4>; .reg .f32 %f<9>;\n";

}  // namespace

TEST_CASE("ptx: module directives") {
  const Module module = parse(
      "// a comment\n.version 8.4\n.target sm_80, debug\n.address_size 64\n/* another\n one */\n"
      ".file 1 \"kernel.cu\"\n.file 2 \"/usr/include/x.h\", 1700000000, 42\n");
  CHECK(module.version == "8.4");
  CHECK(module.target == "sm_80");
  REQUIRE(module.files.size() == 3);
  CHECK(module.files[0].empty());
  CHECK(module.files[1] == "kernel.cu");
  CHECK(module.files[2] == "/usr/include/x.h");
  CHECK(module.entries.empty());
}

TEST_CASE("ptx: an instruction's parts") {
  const Entry entry = entry_of(registers +
                               ".loc 1 7 3\n@!%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"
                               " [%r1], [%rd1+8], 16, [%r2];\nret;");
  REQUIRE(entry.instructions.size() == 2);
  const Instruction& copy = entry.instructions[0];
  CHECK(copy.opcode == "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes");
  CHECK(copy.modifiers ==
        std::vector<std::string>{"cp", "async", "bulk", "shared::cluster", "global", "mbarrier::complete_tx::bytes"});
  REQUIRE(copy.guard);
  CHECK(copy.guard->negated);
  CHECK(entry.registers.at(static_cast<std::size_t>(copy.guard->index)).name == "%p1");
  CHECK(copy.line == 7);
  CHECK(copy.source.file == 1);
  CHECK(copy.source.line == 7);
  REQUIRE(copy.operands.size() == 4);
  CHECK(copy.operands[1].kind == Operand::Kind::address);
  CHECK(copy.operands[1].offset == 8);
  CHECK(entry.registers.at(static_cast<std::size_t>(copy.operands[1].base_register)).name == "%rd1");
  CHECK(copy.operands[2].bits == 16);
  CHECK(entry.instructions[1].opcode == "ret");
  CHECK(entry.instructions[1].operands.empty());
  CHECK_FALSE(entry.instructions[1].guard);
}

TEST_CASE("ptx: a label stands before an instruction of its scope or one around it") {
  const Entry entry = entry_of(registers + "L: { L: bra L; bra M; }\nbra L;\nM:");
  REQUIRE(entry.instructions.size() == 3);
  CHECK(entry.instructions[0].operands.at(0).kind == Operand::Kind::label);
  CHECK(entry.instructions[0].operands.at(0).index == 0);
  CHECK(entry.instructions[1].operands.at(0).index == 3);
  CHECK(entry.instructions[2].operands.at(0).index == 0);
}

TEST_CASE("ptx: a register of an inner scope has a name of its own") {
  const Entry entry = entry_of(".reg .b32 t; mov.b32 t, 1; { .reg .pred t; setp.eq.b32 t, 1, 2; } mov.b32 t, 2;");
  REQUIRE(entry.registers.size() == 2);
  CHECK(entry.registers[0].name == "t");
  CHECK(entry.registers[1].name != "t");
  CHECK(entry.registers[1].type == Type::pred);
  CHECK(entry.instructions.at(1).operands.at(0).index == 1);
  CHECK(entry.instructions.at(2).operands.at(0).index == 0);
}

TEST_CASE("ptx: memory operands name variables") {
  const Entry entry = parse(std::string(header) +
                            ".extern .shared .align 1024 .b8 smem[];\n.visible .entry k(.param .align 8 .b8 p0[240],"
                            " .param .u32 p1) {\n.reg .b64 d; .reg .b32 r; mov.b64 d, p0; ld.param.b32 r, [p1];"
                            " mov.b32 r, smem; ld.shared.b32 r, [smem+16]; }")
                          .entries.at(0);
  REQUIRE(entry.variables.size() == 3);
  CHECK(entry.variables[1].name == "p1");
  CHECK(entry.variables[1].offset == 240);
  CHECK(entry.param_bytes == 244);
  CHECK(entry.variables[2].name == "smem");
  CHECK(entry.variables[2].space == Space::shared);
  CHECK(entry.variables[2].bytes == 0);
  CHECK(entry.variables[2].alignment == 1024);
  CHECK(entry.instructions.at(0).operands.at(1).kind == Operand::Kind::variable);
  CHECK(entry.instructions.at(3).operands.at(1).kind == Operand::Kind::address);
  CHECK(entry.instructions.at(3).operands.at(1).index == 2);
  CHECK(entry.instructions.at(3).operands.at(1).offset == 16);
}

TEST_CASE("ptx: functions, calls and unknown directives are refused by name and line") {
  CHECK(contains(refusal_of(std::string(header) + "\n.func f() { ret; }"), "PTX line 5=.func is refused"));
  CHECK(contains(body_refusal("call f;"), "PTX line 5=call is refused"));
  CHECK(contains(refusal_of(std::string(header) + ".alias a, b;"), "PTX line 4=.alias is refused"));
  CHECK(contains(body_refusal(".callprototype;"), "PTX line 5=.callprototype is refused"));
}
