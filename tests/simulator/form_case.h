// Instruction forms one at a time: an opcode, its operands and its result, worked out by hand.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

// What a register holds: an integer's bits, or those of an f32 or f64.
struct RegisterValue {
  std::uint64_t bits = 0;

  RegisterValue(std::integral auto value) : bits(static_cast<std::uint64_t>(value)) {}
  RegisterValue(float value) : bits(std::bit_cast<std::uint32_t>(value)) {}
  RegisterValue(double value) : bits(std::bit_cast<std::uint64_t>(value)) {}
};

struct FormCase {
  std::string opcode;
  std::vector<RegisterValue> inputs;
  RegisterValue result;
};

// Of the registers an instruction names: 1 (a predicate), 16, 32 or 64 bits each.
struct RegisterBits {
  int output = 32;
  std::vector<int> inputs;
};

// The low `bits` of a result; of a predicate, one.
[[nodiscard]] std::uint64_t low_bits(std::uint64_t value, int bits);

// What a kernel of one thread finds in the output register after the instruction.
[[nodiscard]] std::uint64_t executed(const std::string& opcode, const RegisterBits& bits,
                                     const std::vector<RegisterValue>& inputs, const Options& options = {});

// The cases of each table of forms, by chapter of PTX ISA 9.0.
[[nodiscard]] std::vector<FormCase> integer_cases();     // 9.7.1
[[nodiscard]] std::vector<FormCase> floating_cases();    // 9.7.3, but for the approximations
[[nodiscard]] std::vector<FormCase> half_cases();        // 9.7.4, likewise
[[nodiscard]] std::vector<FormCase> comparison_cases();  // 9.7.6, 9.7.7
[[nodiscard]] std::vector<FormCase> logic_cases();       // 9.7.8, and prmt

// An approximate form of one or two operands: with seed 0 the result to the last bit, else something within `bound` of
// the truth. Halves are given as their patterns.
struct ApproximateCase {
  std::string opcode;
  std::vector<RegisterValue> inputs;
  double truth = 0;
  double bound = 0;
};
[[nodiscard]] std::vector<ApproximateCase> approximate_cases();

}  // namespace attentune::simulator
