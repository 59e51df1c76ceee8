// atom and red as kernels run them: every operation with every type that has it (PTX ISA 9.0, sections 9.7.13.5 and
// .6).
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/simulator/form_case.h"
#include "tests/simulator/kernel_run.h"

using namespace attentune::simulator;

namespace {

struct AtomicCase {
  std::string operation;  // "add.u32"
  RegisterValue memory;   // before
  std::vector<RegisterValue> operands;
  RegisterValue result;  // in memory, after
};

std::vector<AtomicCase> atomic_cases() {
  return {
      {"and.b32", 0xFF00, {0x0FF0}, 0x0F00},
      {"or.b32", 0xFF00, {0x0FF0}, 0xFFF0},
      {"xor.b32", 0xFF00, {0x0FF0}, 0xF0F0},
      {"and.b64", 0xFF0000000000, {0x0FF000000001}, 0x0F0000000000},
      {"or.b64", 0xFF0000000000, {0x0FF000000001}, 0xFFF000000001},
      {"xor.b64", 0xFF0000000000, {0x0FF000000001}, 0xF0F000000001},
      {"add.u32", 0xFFFFFFFF, {2}, 1},
      {"add.s32", -5, {3}, -2},
      {"add.u64", 0xFFFFFFFF, {2}, 0x100000001},
      {"add.f32", 1.5F, {0.25F}, 1.75F},
      {"add.f64", 1.5, {0.25}, 1.75},
      // Up to the operand and round again from zero; down, from the operand, which is also where what lies above goes.
      {"inc.u32", 8, {9}, 9},
      {"inc.u32", 9, {9}, 0},
      {"dec.u32", 9, {9}, 8},
      {"dec.u32", 0, {9}, 9},
      {"dec.u32", 10, {9}, 9},
      {"min.u32", 0xFFFFFFFF, {2}, 2},
      {"max.u32", 0xFFFFFFFF, {2}, 0xFFFFFFFF},
      {"min.s32", -1, {2}, -1},
      {"max.s32", -1, {2}, 2},
      {"min.u64", 0xFFFFFFFFFFFFFFFF, {2}, 2},
      {"max.u64", 0xFFFFFFFFFFFFFFFF, {2}, 0xFFFFFFFFFFFFFFFF},
      {"min.s64", -1, {2}, -1},
      {"max.s64", -1, {2}, 2},
  };
}

// These return what was there, so there is no red of them.
std::vector<AtomicCase> exchange_cases() {
  return {
      {"exch.b32", 7, {3}, 3},
      {"exch.b64", 0x700000000, {0x300000000}, 0x300000000},
      {"cas.b32", 7, {7, 8}, 8},
      {"cas.b32", 6, {7, 8}, 6},
      {"cas.b64", 0x700000000, {0x700000000, 0x800000000}, 0x800000000},
      {"cas.b64", 0x700000001, {0x700000000, 0x800000000}, 0x700000001},
  };
}

int bits_of(const AtomicCase& one) { return one.operation.ends_with("64") ? 64 : 32; }

struct Words {
  std::uint64_t returned = 0;
  std::uint64_t memory = 0;
};

// `instruction`: "atom.global" with a register for its result, or "red.global".
Words run(const AtomicCase& one, const std::string& instruction) {
  const int bits = bits_of(one);
  const std::string prefix = bits == 64 ? "%rd" : "%r";
  std::string moves = fmt::format("mov.b{} {}0, 0;", bits, prefix);
  std::string operands = instruction.starts_with("atom") ? prefix + "0, [%out+8]" : "[%out+8]";
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    moves += fmt::format("mov.b{} {}{}, {:#x};", bits, prefix, i + 1, low_bits(one.operands[i].bits, bits));
    operands += fmt::format(", {}{}", prefix, i + 1);
  }
  KernelRun kernel{.body = fmt::format("{}\n{}.{} {};\nst.global.b{} [%out], {}0;", moves, instruction, one.operation,
                                       operands, bits, prefix),
                   .shape = {.block = {.x = 1}},
                   .out = std::vector<std::uint32_t>(4)};
  const std::uint64_t before = low_bits(one.memory.bits, bits);
  kernel.out[2] = static_cast<std::uint32_t>(before);
  kernel.out[3] = static_cast<std::uint32_t>(before >> 32);
  kernel.run();
  const auto wide = [&](std::size_t at) { return kernel.out[at] | std::uint64_t{kernel.out[at + 1]} << 32; };
  return {.returned = wide(0), .memory = wide(2)};
}

void check_atom(const AtomicCase& one, const std::string& instruction) {
  const auto [returned, memory] = run(one, instruction);
  CHECK(memory == low_bits(one.result.bits, bits_of(one)));
  CHECK(returned == low_bits(one.memory.bits, bits_of(one)));
}

}  // namespace

TEST_CASE("9.7.13.5 atom returns what it found") {
  for (const auto& cases : {atomic_cases(), exchange_cases()}) {
    for (const AtomicCase& one : cases) {
      CAPTURE(one.operation);
      check_atom(one, "atom.global");
      check_atom(one, "atom.acq_rel.gpu.global");
      check_atom(one, "atom");  // a generic address
    }
  }
}

TEST_CASE("9.7.13.6 red does the same and returns nothing") {
  for (const AtomicCase& one : atomic_cases()) {
    CAPTURE(one.operation);
    CHECK(run(one, "red.global").memory == low_bits(one.result.bits, bits_of(one)));
    CHECK(run(one, "red.relaxed.gpu.global").memory == low_bits(one.result.bits, bits_of(one)));
  }
}

TEST_CASE("9.7.13.5 f32 sums in global memory flush subnormals, in shared memory they do not") {
  KernelRun kernel{.body = R"(
    setp.ne.u32 %p1, %t, 0;
    mov.u32 %r1, place;
    @!%p1 st.shared.b32 [%r1], 0x00000001;
    bar.warp.sync -1;
    @!%p1 atom.shared.add.f32 %r2, [%r1], 0f00000002;
    @!%p1 ld.shared.b32 %r3, [%r1];
    @!%p1 st.global.b32 [%out+408], %r3;
    @!%p1 red.global.add.f32 [%out+400], 0f00000002;
    @!%p1 red.global.add.f32 [%out+404], 0f80800000;)",
                   .globals = ".shared .align 4 .b8 place[4];"};
  kernel.out[100] = 1;
  kernel.out[101] = 0x00C0'0000;  // the sum is half of the least normal number
  kernel.run();
  CHECK(kernel.out[100] == 0);
  CHECK(kernel.out[101] == 0);
  CHECK(kernel.out[102] == 3);
}

TEST_CASE("9.7.13.5 lanes of a warp that reach one place come one after the other") {
  KernelRun kernel{.body = "atom.global.add.u32 %r1, [%out+400], 2; red.global.max.s32 [%out+404], %t;"};
  kernel.out[100] = 5;
  kernel.out[101] = static_cast<std::uint32_t>(-9);
  kernel.run();
  CHECK(kernel.out[100] == 69);
  CHECK(kernel.out[101] == 31);
}
