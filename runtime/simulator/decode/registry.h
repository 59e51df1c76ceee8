// Registry: which handler runs which instruction form. Forms whose operands say everything stand in a table by their
// whole opcode; those with many independent modifiers (ld, cvt, bar) have a decoder of their own, by mnemonic.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/decode/step_builder.h"

namespace attentune::simulator {

struct Form {
  Handler handler = nullptr;
  Category category = Category::move;
  int output_bits = 32;  // every form of the table has one output
  std::array<int, 6> input_bits{};
  std::size_t inputs = 0;
};

using Decoder = void (*)(StepBuilder& builder);

class Registry {
 public:
  void add(const std::string& opcode, const Form& form);
  void add(const std::string& mnemonic, Decoder decoder);

  [[nodiscard]] const Form* form(const std::string& opcode) const;
  [[nodiscard]] Decoder decoder(const std::string& mnemonic) const;

  // What there is, for the tests that each of it is tested: in order of the alphabet.
  [[nodiscard]] std::vector<std::string> opcodes() const;
  [[nodiscard]] std::vector<std::string> mnemonics() const;

 private:
  std::unordered_map<std::string, Form> forms_;
  std::unordered_map<std::string, Decoder> decoders_;
};

// Every form there is. Cost: a few hundred insertions; make one a Simulator.
[[nodiscard]] Registry all_forms();

}  // namespace attentune::simulator
