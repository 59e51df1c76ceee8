// The reader of PTX, one syntactic form at a time. Sources: PTX ISA 9.0, sections 4 to 6 and 11.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/ptx_helpers.h"

namespace {

using attentune::ptx::Entry;
using attentune::ptx::Instruction;
using attentune::ptx::Module;
using attentune::ptx::Operand;
using attentune::ptx::parse;
using attentune::ptx::Space;
using attentune::ptx::Type;

using ptx_test::contains;
using ptx_test::entry_of;
using ptx_test::header;
using ptx_test::refusal_of;
using ptx_test::registers;
using ptx_test::with_body;

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
  const Entry entry = parse(header +
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

TEST_CASE("ptx: registers come to be when they are named") {
  const Entry entry =
      entry_of(".reg .b32 %r<2000000000>, a; .reg .f64 %fd<2>;\nmov.b32 %r1999999999, a; mov.b32 a, %r7;");
  REQUIRE(entry.registers.size() == 3);
  CHECK(entry.registers[0].name == "a");
  CHECK(entry.registers[1].name == "%r1999999999");
  CHECK(entry.registers[2].name == "%r7");
  CHECK(entry.registers[2].type == Type::b32);
}

TEST_CASE("ptx: every type a register may have") {
  const std::vector<std::string> types = {"pred", "b8",  "b16", "b32", "b64", "b128",  "u8",   "u16",    "u32", "u64",
                                          "s8",   "s16", "s32", "s64", "f16", "f16x2", "bf16", "bf16x2", "f32", "f64"};
  const std::vector<int> bytes = {1, 1, 2, 4, 8, 16, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 2, 4, 4, 8};
  for (std::size_t index = 0; index < types.size(); ++index) {
    const Entry entry = entry_of(".reg ." + types[index] + " t;");
    CHECK(entry.registers.at(0).type == static_cast<Type>(index));
    CHECK(bytes_of(entry.registers.at(0).type) == bytes[index]);
  }
}

TEST_CASE("ptx: parameters lie one after the other, aligned") {
  const Module module =
      parse(header +
            ".weak .entry k(.param .u8 a, .param .align 64 .b8 b[128], .param .u64 .ptr .global .align 16 c,"
            "\n .param .f32 d)\n{ ret; }");
  const Entry& entry = module.entries.at(0);
  REQUIRE(entry.variables.size() == 4);
  CHECK(entry.variables[0].offset == 0);
  CHECK(entry.variables[1].offset == 64);
  CHECK(entry.variables[1].alignment == 64);
  CHECK(entry.variables[2].offset == 192);
  CHECK(entry.variables[2].bytes == 8);
  CHECK(entry.variables[3].offset == 200);
  CHECK(entry.param_bytes == 204);
  for (const auto& variable : entry.variables)
    CHECK(variable.space == Space::param);
}

TEST_CASE("ptx: launch bounds") {
  const Module module =
      parse(header +
            ".entry a() .maxntid 128 .minnctapersm 2 { ret; }\n"
            ".entry b() .maxntid 128, 2, 3 .maxnreg 168 { ret; }\n"
            ".entry c\n.reqntid 64, 2\n.explicitcluster\n.reqnctapercluster 2, 1, 1\n.pragma \"x\";\n{ ret; }\n");
  REQUIRE(module.entries.size() == 3);
  using Extents = std::array<std::int32_t, 3>;
  CHECK(module.entries[0].max_threads == Extents{128, 1, 1});
  CHECK(module.entries[0].required_threads == Extents{0, 0, 0});
  CHECK(module.entries[0].min_blocks == 2);
  CHECK(module.entries[1].max_threads == Extents{128, 2, 3});
  CHECK(module.entries[2].required_threads == Extents{64, 2, 1});
  CHECK(module.entries[2].cluster == Extents{2, 1, 1});
}

TEST_CASE("ptx: module variables, of which an entry has those it names") {
  const Module module = parse(
      header +
      ".const .align 4 .b8 table[6] = {0, 255, 128};\n"
      ".visible .global .align 8 .u32 counter = 5, unused = 6;\n"
      ".global .attribute(.managed) .f32 ratio = 0f3F800000;\n.global .f64 twice[2] = {-1.5, 0d3FF0000000000000};\n"
      ".global .s16 sizes[] = {-1, 2};\n.shared .v4 .f32 quad[2];\n"
      ".entry k() { .reg .b64 d; mov.b64 d, counter; mov.b64 d, table; mov.b64 d, ratio; mov.b64 d, twice;"
      " mov.b64 d, sizes; mov.b64 d, counter; mov.b64 d, quad; }\n.entry l() { }");
  const Entry& entry = module.entries.at(0);
  CHECK(module.entries.at(1).variables.empty());
  REQUIRE(entry.variables.size() == 6);
  using Bytes = std::vector<std::uint8_t>;
  CHECK(entry.variables[0].name == "counter");
  CHECK(entry.variables[0].space == Space::global);
  CHECK(entry.variables[0].alignment == 8);
  CHECK(entry.variables[0].initial == Bytes{5, 0, 0, 0});
  CHECK(entry.variables[1].space == Space::constant);
  CHECK(entry.variables[1].bytes == 6);
  CHECK(entry.variables[1].initial == Bytes{0, 255, 128});
  CHECK(entry.variables[2].initial == Bytes{0, 0, 0x80, 0x3F});
  CHECK(entry.variables[3].initial == Bytes{0, 0, 0, 0, 0, 0, 0xF8, 0xBF, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F});
  CHECK(entry.variables[4].bytes == 4);
  CHECK(entry.variables[4].initial == Bytes{0xFF, 0xFF, 2, 0});
  CHECK(entry.variables[5].bytes == 32);
  CHECK(entry.variables[5].alignment == 16);
}

TEST_CASE("ptx: debug data and comments are passed over, source lines are kept") {
  const Module module =
      parse(header +
            ".entry k() {\n.reg .b32 a;\n$L__tmp0:\n.loc 1 5 2 // k.cu:5:2\nmov.b32 a, 1; /* ; } */ mov.b32 a, 2;\n"
            "\t.loc\t2 107 3, function_name $L__info_string0, inlined_at 1 9 2\n"
            "// begin inline asm\nmov.b32 a, 3;\n// end inline asm\n"
            ".loc 3 8 1, function_name .debug_str+16, inlined_at 1 10 5\nmov .b32 a, 4;\n}\n"
            ".section .debug_str\n{\n$L__info_string0:\n.b8 95,90,78\n.b8 0\n}\n"
            ".section .debug_info {\n.b32 $L__tmp0+1 // } \n.b64 $L__tmp0 - $L__tmp0\n}\n.section .debug_loc { }\n");
  const auto& instructions = module.entries.at(0).instructions;
  REQUIRE(instructions.size() == 4);
  CHECK(instructions[0].source.line == 5);
  CHECK(instructions[1].source.line == 5);
  CHECK(instructions[1].line == 8);
  CHECK(instructions[2].source.file == 2);
  CHECK(instructions[2].source.line == 107);
  CHECK(instructions[2].line == 11);
  CHECK(instructions[3].source.line == 8);
  CHECK(instructions[3].opcode == "mov.b32");
}

TEST_CASE("ptx: a table of branch targets") {
  const Entry entry = entry_of(registers + "t: .branchtargets A, B, A;\nbrx.idx %r1, t;\nA: ret;\nB: ret;");
  REQUIRE(entry.branch_targets.size() == 1);
  CHECK(entry.branch_targets[0] == std::vector<std::int32_t>{1, 2, 1});
  CHECK(entry.instructions.at(0).operands.at(1).kind == Operand::Kind::targets);
  CHECK(entry.instructions.at(0).operands.at(1).index == 0);
}

TEST_CASE("ptx: what is not served is refused by name and line") {
  struct Row {
    std::string text;
    std::string sentence;
  };
  const auto body = [](const std::string& text) { return with_body(text); };
  const std::vector<Row> rows = {
      {"", "PTX line 1=the end of the text is refused: a module begins with .version"},
      {"\x7f"
       "ELF",
       "PTX line 1=? is refused"},
      {header + "\n.func f() { ret; }", "PTX line 5=.func is refused: functions are not served"},
      {header + ".extern .func f();", "PTX line 4=.func is refused"},
      {header + ".alias a, b;", "PTX line 4=.alias is refused"},
      {".version 9.0 .target sm_80, texmode_unified", "PTX line 1=texmode_unified is refused"},
      {".version 9.0 .target sm_80 .address_size 32", "PTX line 1=32 is refused: addresses have 64 bits"},
      {header + ".extern .global .b32 g;", "PTX line 4=g is refused: only .shared can be .extern"},
      {header + ".extern .entry k();", "PTX line 4=.entry is refused"},
      {header + ".entry k();", "PTX line 4=; is refused: '{' before the entry's body is expected"},
      {header + ".entry k() { } .entry k() { }", "PTX line 4=k is refused: this entry is defined twice"},
      {header + ".global .b32 g; .const .b32 g;", "PTX line 4=g is refused: this name is declared twice"},
      {header + ".global .b64 g = generic(h);", "PTX line 4=generic is refused: an initializer holds numbers only"},
      {header + ".global .s32 g = 0f3F800000;",
       "PTX line 4=0f3F800000 is refused: the number is not of the variable's type"},
      {header + ".global .b8 g[2] = {1, 2, 3};", "refused: there are more initial values than elements"},
      {header + ".global .b8 g[1099511627777];", "PTX line 4=1099511627777 is refused"},
      {header + ".global .b64 g[1099511627776];", "PTX line 4=g is refused: an array has 1 byte to 1 TiB"},
      {header + ".global .align 3 .b8 g;", "PTX line 4=3 is refused: an alignment is a power of two"},
      {header + ".shared .b32 s = 1;", "PTX line 4=1 is refused: only .global and .const"},
      {header + ".shared .b8 s[];", "PTX line 4=s is refused: an array without a size"},
      {header + ".global .texref t;", "PTX line 4=.texref is refused: this is no type"},
      {header + ".entry k(.param .b8 p[32765]) { }", "PTX line 4=p is refused: the parameters have 1 to 32764 bytes"},
      {header + ".entry k() .blocksareclusters { }", "PTX line 4=.blocksareclusters is refused"},
      {header + ".entry k() .maxntid 1, 2, 3, 4 { }", "PTX line 4=4 is refused: there are three dimensions"},
      {header + ".file 70000 \"x\"", "PTX line 4=70000 is refused"},
      {header + ".file 1 \"x", "refused: the string does not end in its line"},
      {header + "/* x", "PTX line 4=/* is refused: the comment does not end"},
      {header + ".section .debug_str { .b8 0",
       "the end of the text is refused: '}' after the section's data is expected"},
      {body("call f;"), "PTX line 5=call is refused: calls are not served"},
      {body(".callprototype;"), "PTX line 5=.callprototype is refused"},
      {body(".global .b32 g;"), "PTX line 5=.global is refused"},
      {body(".reg .v4 .f32 v;"), "PTX line 5=.v4 is refused: this is no type"},
      {body(".reg .b32 a, a;"), "PTX line 5=a is refused: this name is declared twice in its scope"},
      {body(".reg .b32 %r<4>; .reg .b32 %r<5>;"), "PTX line 5=%r is refused: these registers are declared twice"},
      {body(".reg .b32 %r<4>; .reg .b32 %r3;"), "PTX line 5=%r3 is refused: this name is declared twice in its scope"},
      {body("\n\nL: L: ret;"), "PTX line 7=L is refused: this name is declared twice in its scope"},
      {body("bra L;\n{ L: ret; }"), "PTX line 5=L is refused: nothing of this name is declared"},
      {body("{ .reg .b32 t; }\nmov.b32 t, 1;"), "PTX line 6=t is refused: nothing of this name is declared"},
      {body(".reg .b32 _;"), "PTX line 5=_ is refused: '_' is no name"},
      {body("@r bra L; L:"), "PTX line 5=r is refused: a guard is a predicate register"},
      {body(".reg .b32 r; @r ret;"), "PTX line 5=r is refused: a guard is a predicate register"},
      {body("ret; ;"), "PTX line 5=; is refused: an instruction, a label, a directive or '}' is expected"},
      {body("ret"), "PTX line 6=} is refused: an operand is expected"},
      {body("t: .branchtargets u; u: .branchtargets L; L: ret;"),
       "PTX line 5=u is refused: a .branchtargets lists labels"},
      {body("mov.b32 \x01\xff;"), "PTX line 5=? is refused: this begins nothing in PTX"},
      {header + ".entry k() { ret;", "PTX line 4=the end of the text is refused"},
      {header + ".entry k() { } }", "PTX line 4=} is refused: a directive that this reader knows is expected"},
  };
  for (const Row& row : rows) {
    const std::string sentence = refusal_of(row.text);
    INFO(row.text);
    INFO(sentence);
    CHECK(contains(sentence, row.sentence));
  }
}

TEST_CASE("ptx: a refusal stays a sentence whatever stands there") {
  const std::string sentence = refusal_of(header + std::string(100'000, 'a'));
  CHECK(contains(sentence, "aaa..."));
  CHECK(sentence.size() < 300);
}

TEST_CASE("ptx: scopes nest 64 deep at most") {
  const auto nested = [](std::size_t depth) {
    return with_body("OUT:" + std::string(depth, '{') + "bra OUT;" + std::string(depth, '}'));
  };
  CHECK(refusal_of(nested(63)).empty());
  CHECK(contains(refusal_of(nested(64)), "PTX line 5={ is refused: scopes nest 64 deep at most"));
}
