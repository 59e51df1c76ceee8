// Operands and literals, one form at a time. Sources: PTX ISA 9.0, sections 4.5 and 6.
#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/ptx_helpers.h"

namespace {

using attentune::ptx::Entry;
using attentune::ptx::Operand;
using ptx_test::contains;
using ptx_test::entry_of;
using ptx_test::refusal_of;
using ptx_test::with_body;
using Kind = Operand::Kind;

const std::string shared = ".shared .align 4 .b8 smem[64];\n";

// The operands of the one instruction in `text`, and the registers they name.
struct Parsed {
  std::vector<Operand> operands;
  std::vector<std::string> registers;

  [[nodiscard]] std::string name(std::int32_t index) const { return registers.at(static_cast<std::size_t>(index)); }
};

Parsed operands_of(const std::string& text) {
  const Entry entry = entry_of(ptx_test::registers + shared + "x." + text + ";");
  Parsed parsed{.operands = entry.instructions.at(0).operands, .registers = {}};
  for (const auto& reg : entry.registers)
    parsed.registers.push_back(reg.name);
  return parsed;
}

Operand operand_of(const std::string& text) { return operands_of("y " + text).operands.at(0); }

std::uint64_t bits_of(const std::string& literal) {
  const Operand operand = operand_of(literal);
  CHECK(operand.kind == Kind::immediate);
  return operand.bits;
}

bool refused(const std::string& operand) {
  return !refusal_of(with_body(ptx_test::registers + shared + "x " + operand + ";")).empty();
}

}  // namespace

TEST_CASE("ptx: integers") {
  CHECK(bits_of("0") == 0);
  CHECK(bits_of("42") == 42);
  CHECK(bits_of("-5") == static_cast<std::uint64_t>(-5));
  CHECK(bits_of("- 5") == static_cast<std::uint64_t>(-5));
  CHECK(bits_of("+5") == 5);
  CHECK(bits_of("0x1F") == 31);
  CHECK(bits_of("0X1f") == 31);
  CHECK(bits_of("-0x10") == static_cast<std::uint64_t>(-16));
  CHECK(bits_of("0x1e") == 30);
  CHECK(bits_of("0b101") == 5);
  CHECK(bits_of("017") == 15);
  CHECK(bits_of("7U") == 7);
  CHECK(bits_of("0xFFU") == 255);
  CHECK(bits_of("18446744073709551615") == ~std::uint64_t{0});
  CHECK(bits_of("-9223372036854775808") == std::uint64_t{1} << 63);
  CHECK(bits_of("WARP_SZ") == 32);
  for (const char* const wrong :
       {"08", "0x", "0b2", "12a", "18446744073709551616", "-9223372036854775809", "0xG", "--1", "1U2", "(1+2)", "~1"})
    CHECK_MESSAGE(refused(wrong), wrong);
}

TEST_CASE("ptx: floats") {
  const Operand single = operand_of("0f3F800000");
  CHECK(single.is_float);
  CHECK(single.float_bytes == 4);
  CHECK(std::bit_cast<float>(static_cast<std::uint32_t>(single.bits)) == 1.0f);
  const Operand twice = operand_of("0dC000000000000000");
  CHECK(twice.is_float);
  CHECK(twice.float_bytes == 8);
  CHECK(std::bit_cast<double>(twice.bits) == -2.0);
  CHECK(operand_of("0FFF800000").bits == 0xFF800000);
  const auto decimal = [](const char* text) {
    const Operand operand = operand_of(text);
    CHECK(operand.is_float);
    CHECK(operand.float_bytes == 8);
    return std::bit_cast<double>(operand.bits);
  };
  CHECK(decimal("1.0") == 1.0);
  CHECK(decimal("-1.5e-3") == -1.5e-3);
  CHECK(decimal("2e+2") == 200.0);
  CHECK(decimal("1E3") == 1000.0);
  CHECK(decimal("1.") == 1.0);
  for (const char* const wrong :
       {"0f3F80000", "0f3F8000000", "0f3F80000G", "-0f3F800000", "0d3FF0", "1.2.3", "1e", "1.0f"})
    CHECK_MESSAGE(refused(wrong), wrong);
}

TEST_CASE("ptx: registers, sinks, pairs and negated predicates") {
  const Parsed parsed = operands_of("y %r1|%p1, _|%p2, _, !%p3, %r1");
  REQUIRE(parsed.operands.size() == 5);
  CHECK(parsed.operands[0].kind == Kind::pair);
  CHECK(parsed.name(parsed.operands[0].elements.at(0).index) == "%r1");
  CHECK(parsed.name(parsed.operands[0].elements.at(1).index) == "%p1");
  CHECK(parsed.operands[1].elements.at(0).kind == Kind::sink);
  CHECK(parsed.operands[2].kind == Kind::sink);
  CHECK(parsed.operands[3].kind == Kind::reg);
  CHECK(parsed.operands[3].negated);
  CHECK(parsed.name(parsed.operands[3].index) == "%p3");
  CHECK(parsed.operands[4].index == parsed.operands[0].elements.at(0).index);
  CHECK(refused("!%r1"));
  CHECK(refused("!5"));
  CHECK(refused("%r1|"));
  CHECK(refused("|%r1"));
}

TEST_CASE("ptx: vectors") {
  const Parsed parsed = operands_of("y {%r1, _, -3, 0f00000000}, { %r2 }");
  REQUIRE(parsed.operands.size() == 2);
  REQUIRE(parsed.operands[0].kind == Kind::vector);
  REQUIRE(parsed.operands[0].elements.size() == 4);
  CHECK(parsed.operands[0].elements[1].kind == Kind::sink);
  CHECK(parsed.operands[0].elements[2].bits == static_cast<std::uint64_t>(-3));
  CHECK(parsed.operands[0].elements[3].is_float);
  CHECK(parsed.operands[1].elements.size() == 1);
  for (const char* const wrong : {"{}", "{%r1", "{%r1,}", "{{%r1}}", "{[%r1]}", "{somewhere}", "%r1}"})
    CHECK_MESSAGE(refused(wrong), wrong);
}

TEST_CASE("ptx: addresses") {
  const Parsed parsed =
      operands_of("y [%rd1], [ %rd1 + 8 ], [%rd1+-8], [smem], [smem+16], [64], [%rd2, {%r1, %r2}], [%rd2, %r3]");
  REQUIRE(parsed.operands.size() == 8);
  for (const Operand& operand : parsed.operands)
    CHECK(operand.kind == Kind::address);
  CHECK(parsed.name(parsed.operands[0].base_register) == "%rd1");
  CHECK(parsed.operands[0].offset == 0);
  CHECK(parsed.operands[1].offset == 8);
  CHECK(parsed.operands[2].offset == -8);
  CHECK(parsed.operands[3].base_register == -1);
  CHECK(parsed.operands[3].index == 1);  // after the parameter
  CHECK(parsed.operands[4].index == 1);
  CHECK(parsed.operands[4].offset == 16);
  CHECK(parsed.operands[5].base_register == -1);
  CHECK(parsed.operands[5].index == -1);
  CHECK(parsed.operands[5].offset == 64);
  REQUIRE(parsed.operands[6].elements.size() == 1);
  CHECK(parsed.operands[6].elements[0].kind == Kind::vector);
  CHECK(parsed.operands[6].elements[0].elements.size() == 2);
  CHECK(parsed.operands[7].elements.at(0).kind == Kind::reg);
  // The assembler takes none of these either.
  for (const char* const wrong : {"[%rd1-8]", "[%rd1+%r1]", "[]", "[%rd1", "[nowhere]", "[[%rd1]]", "[%tid.x]", "[1.5]",
                                  "[%rd1+1.5]", "[%rd1+4294967296]", "smem-4"})
    CHECK_MESSAGE(refused(wrong), wrong);
}

TEST_CASE("ptx: a variable's address") {
  CHECK(operand_of("smem").kind == Kind::variable);
  CHECK(operand_of("smem").index == 1);
  CHECK(operand_of("smem+12").offset == 12);
  CHECK(operand_of("k_param_0").index == 0);
}

TEST_CASE("ptx: special registers") {
  CHECK(operand_of("%tid.x").kind == Kind::special);
  CHECK(operand_of("%tid.x").text == "%tid.x");
  CHECK(operand_of("%cluster_ctaid.z").text == "%cluster_ctaid.z");
  CHECK(operand_of("%laneid").text == "%laneid");
  CHECK(operand_of("%clock64").text == "%clock64");
  for (const char* const wrong : {"%tid", "%tid.w", "%laneid.x", "%nothing", "%r100", "%r01", "%r"})
    CHECK_MESSAGE(refused(wrong), wrong);
  CHECK(contains(refusal_of(with_body("\nmov.b32 %x, 1;")), "PTX line 6=%x is refused"));
}
