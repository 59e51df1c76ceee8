// Every instruction form of the decoder's table, run in a kernel, with values worked out by hand; and that none is
// without.
#include <doctest/doctest.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/simulator/decode/registry.h"
#include "runtime/simulator/numerics/format.h"
#include "tests/simulator/form_case.h"

namespace numerics = attentune::numerics;
using namespace attentune::simulator;

namespace {

std::vector<FormCase> all_cases() {
  std::vector<FormCase> cases = integer_cases();
  for (const auto& more : {floating_cases(), half_cases(), comparison_cases(), logic_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

RegisterBits register_bits(const Form& form) {
  const auto inputs = std::span(form.input_bits).first(form.inputs);
  return {.output = form.output_bits, .inputs = {inputs.begin(), inputs.end()}};
}

const Form& form_of(const Registry& registry, const std::string& opcode) {
  const Form* const form = registry.form(opcode);
  REQUIRE_MESSAGE(form != nullptr, opcode);
  return *form;
}

bool is_of(const std::string& opcode, std::string_view type) { return opcode.ends_with(type); }

double value_of(const std::string& opcode, std::uint64_t pattern) {
  const auto bits = static_cast<std::uint32_t>(pattern);
  if (is_of(opcode, ".f32"))
    return std::bit_cast<float>(bits);
  return numerics::decode_float(is_of(opcode, ".bf16") ? numerics::bf16 : numerics::f16, bits);
}

std::uint64_t nearest(const std::string& opcode, double value) {
  if (is_of(opcode, ".f32"))
    return std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const numerics::Format& format = is_of(opcode, ".bf16") ? numerics::bf16 : numerics::f16;
  return numerics::encode(format, value, numerics::Rounding::nearest_even);
}

// What the tests of this folder that run kernels say, without their comments.
std::string texts_of_kernels() {
  std::string all;
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(ATTENTUNE_TEST_DATA).parent_path())) {
    if (file.path().extension() != ".cpp")
      continue;
    std::ifstream stream(file.path());
    std::string text;
    for (std::string line; std::getline(stream, line);)
      text += line.substr(0, line.find("//")) + "\n";
    if (text.find("kernel_run.h\"") != std::string::npos || text.find("hopper_run.h\"") != std::string::npos)
      all += text;
  }
  return all;
}

// "mnemonic.", "mnemonic;" or "bra LABEL", not as the end of another word.
bool has_instruction(std::string_view text, const std::string& mnemonic) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; };
  for (std::size_t at = text.find(mnemonic); at != std::string_view::npos; at = text.find(mnemonic, at + 1)) {
    const std::size_t end = at + mnemonic.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const char next = end < text.size() ? text[end] : '\0';
    if (begins && (next == '.' || next == ';' || (next == ' ' && mnemonic == "bra")))
      return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every form computes what was worked out by hand") {
  const Registry registry = all_forms();
  for (const FormCase& one : all_cases()) {
    const RegisterBits bits = register_bits(form_of(registry, one.opcode));
    CAPTURE(one.opcode);
    CHECK(executed(one.opcode, bits, one.inputs) == low_bits(one.result.bits, bits.output));
  }
}

TEST_CASE("approximations err by seed, within what the ISA allows") {
  const Registry registry = all_forms();
  for (const auto& [opcode, inputs, truth, bound] : approximate_cases()) {
    CAPTURE(opcode);
    const RegisterBits bits = register_bits(form_of(registry, opcode));
    std::set<std::uint64_t> results;
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const std::uint64_t result = executed(opcode, bits, inputs, {.seed = seed});
      const double value = value_of(opcode, result);
      if (seed == 0)
        CHECK(result == nearest(opcode, truth));
      else
        CHECK((value == truth || std::fabs(value - truth) <= bound));
      results.insert(result);
    }
    CHECK((results.size() > 1) == (bound > 0));
  }
}

TEST_CASE("approximations of pairs are those of their halves") {
  const Registry registry = all_forms();
  for (const auto& [opcode, inputs, truth, bound] : approximate_cases()) {
    if (is_of(opcode, ".f32"))
      continue;
    const std::string pair = opcode + "x2";
    CAPTURE(pair);
    const RegisterBits bits = register_bits(form_of(registry, opcode));
    const std::uint64_t low = inputs[0].bits;
    const std::uint64_t high = low | 0x8000;
    const std::uint64_t both = executed(pair, register_bits(form_of(registry, pair)), {high << 16 | low});
    CHECK(both == (executed(opcode, bits, {high}) << 16 | executed(opcode, bits, {low})));
  }
}

TEST_CASE("no form is without a case") {
  std::set<std::string> tested;
  for (const FormCase& one : all_cases())
    tested.insert(one.opcode);
  for (const ApproximateCase& one : approximate_cases()) {
    tested.insert(one.opcode);
    if (!is_of(one.opcode, ".f32"))
      tested.insert(one.opcode + "x2");
  }
  for (const std::string& opcode : all_forms().opcodes())
    CHECK_MESSAGE(tested.contains(opcode), opcode);
}

TEST_CASE("no mnemonic that has a decoder of its own is without a kernel") {
  const std::string texts = texts_of_kernels();
  for (const std::string& mnemonic : all_forms().mnemonics())
    CHECK_MESSAGE(has_instruction(texts, mnemonic), mnemonic);
}
