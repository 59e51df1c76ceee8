// 9.7.4 half precision, but for the approximations: those are in approximate_cases.cpp. Every operation of f16 and bf16
// exists for one value and, with "x2" behind its type, for two in one register.
#include <array>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulator/form_case.h"

namespace attentune::simulator {
namespace {

using Half = std::uint16_t;

// 1 + 5 + 10 bits, and 1 + 8 + 7 (PTX ISA 9.0, section 5.2.3).
namespace f16 {
constexpr Half quarter = 0x3400, half = 0x3800, one = 0x3C00, two = 0x4000, three = 0x4200, four = 0x4400,
               next_to_one = 0x3C01, subnormal = 0x0200;
}
namespace bf16 {
constexpr Half half = 0x3F00, one = 0x3F80, two = 0x4000, three = 0x4040, four = 0x4080, next_to_one = 0x3F81;
}
constexpr Half sign = 0x8000;
constexpr Half some_nan = 0x7FE0;
constexpr Half canonical_nan = 0x7FFF;

struct HalfCase {
  std::string_view opcode;  // without its type
  std::vector<Half> inputs;
  Half result;
};

// Two cases of an opcode stand side by side: they are the two halves of its "x2".
std::vector<HalfCase> f16_cases() {
  using namespace f16;
  // 2^-11 is half of what next_to_one is away from one: a tie, to the even of both neighbours.
  constexpr Half tie = 0x1000;
  return {
      {"add", {one, two}, three},
      {"add", {next_to_one, tie}, 0x3C02},
      {"add.rn", {one, tie}, one},
      {"add.rn", {subnormal, 0}, subnormal},
      {"add.ftz", {subnormal, one | sign}, one | sign},
      {"add.ftz", {subnormal, 0}, 0},
      {"add.rn.ftz", {one, two}, three},
      {"add.rn.ftz", {subnormal, 0}, 0},
      {"add.sat", {one, two}, one},
      {"add.sat", {one, two | sign}, 0},
      {"add.rn.sat", {half, quarter}, 0x3A00},
      {"add.rn.sat", {some_nan, one}, 0},
      {"add.ftz.sat", {one, two}, one},
      {"add.ftz.sat", {subnormal, 0}, 0},
      {"add.rn.ftz.sat", {half, half | sign}, 0},
      {"add.rn.ftz.sat", {subnormal, one}, one},
      {"sub", {one, three}, two | sign},
      {"sub", {next_to_one, tie | sign}, 0x3C02},
      {"sub.rn", {three, two}, one},
      {"sub.rn", {subnormal, 0}, subnormal},
      {"sub.ftz", {one, three}, two | sign},
      {"sub.ftz", {subnormal, 0}, 0},
      {"sub.rn.ftz", {three, two}, one},
      {"sub.rn.ftz", {0, subnormal}, 0},
      {"sub.sat", {one, three}, 0},
      {"sub.sat", {four, one}, one},
      {"sub.rn.sat", {one, half}, half},
      {"sub.rn.sat", {subnormal, 0}, subnormal},
      {"sub.ftz.sat", {one, half}, half},
      {"sub.ftz.sat", {subnormal, 0}, 0},
      {"sub.rn.ftz.sat", {four, one}, one},
      {"sub.rn.ftz.sat", {one, three}, 0},
      {"mul", {two, two | sign}, four | sign},
      {"mul", {next_to_one, next_to_one}, 0x3C02},
      {"mul.rn", {half, half}, quarter},
      {"mul.rn", {subnormal, half}, 0x0100},
      {"mul.ftz", {half, half}, quarter},
      {"mul.ftz", {subnormal, half}, 0},
      {"mul.rn.ftz", {two, two}, four},
      {"mul.rn.ftz", {0x0400, half | sign}, sign},  // 2^-14 / 2: the result is subnormal
      {"mul.sat", {two, two}, one},
      {"mul.sat", {two, two | sign}, 0},
      {"mul.rn.sat", {half, half}, quarter},
      {"mul.rn.sat", {subnormal, half}, 0x0100},
      {"mul.ftz.sat", {half, half}, quarter},
      {"mul.ftz.sat", {subnormal, half}, 0},
      {"mul.rn.ftz.sat", {two, two}, one},
      {"mul.rn.ftz.sat", {subnormal, two}, 0},
      {"fma.rn", {half, two, three}, four},
      // (1 + 2^-10) (1 - 2^-10) - 1 = -2^-20: nothing is rounded between.
      {"fma.rn", {next_to_one, 0x3BFE, one | sign}, 0x0010 | sign},
      {"fma.rn.ftz", {half, two, three}, four},
      {"fma.rn.ftz", {one, subnormal, subnormal}, 0},
      {"fma.rn.sat", {half, two, three}, one},
      {"fma.rn.sat", {one, two | sign, one}, 0},
      {"fma.rn.relu", {one, two | sign, one}, 0},
      {"fma.rn.relu", {half, two, three}, four},
      {"min", {one, two | sign}, two | sign},
      {"min", {some_nan, two}, two},
      {"min.NaN", {three, two}, two},
      {"min.NaN", {some_nan, two}, canonical_nan},
      {"min.ftz", {three, two}, two},
      {"min.ftz", {subnormal, two}, 0},
      {"max", {one, two | sign}, one},
      {"max", {some_nan, two}, two},
      {"max.NaN", {three, two}, three},
      {"max.NaN", {two, some_nan}, canonical_nan},
      {"max.ftz", {three, two}, three},
      {"max.ftz", {subnormal, two | sign}, 0},
      {"neg", {one}, one | sign},
      {"neg", {two | sign}, two},
      {"abs", {one}, one},
      {"abs", {two | sign}, two},
  };
}

std::vector<HalfCase> bf16_cases() {
  using namespace bf16;
  constexpr Half tie = 0x3B80;  // 2^-8
  return {
      {"add", {one, two}, three},
      {"add", {next_to_one, tie}, 0x3F82},
      {"add.rn", {one, tie}, one},
      {"add.rn", {0x0040, 0}, 0x0040},  // a subnormal
      {"sub", {one, three}, two | sign},
      {"sub", {next_to_one, tie | sign}, 0x3F82},
      {"sub.rn", {three, two}, one},
      {"sub.rn", {four, one}, three},
      {"mul", {two, two | sign}, four | sign},
      {"mul", {next_to_one, next_to_one}, 0x3F82},
      {"mul.rn", {half, two}, one},
      {"mul.rn", {0x0040, half}, 0x0020},
      {"fma.rn", {half, two, three}, four},
      // (1 + 2^-7) (1 - 2^-7) - 1 = -2^-14.
      {"fma.rn", {next_to_one, 0x3F7E, one | sign}, 0x3880 | sign},
      {"fma.rn.relu", {one, two | sign, one}, 0},
      {"fma.rn.relu", {half, two, three}, four},
      {"min", {one, two | sign}, two | sign},
      {"min", {some_nan, two}, two},
      {"min.NaN", {three, two}, two},
      {"min.NaN", {some_nan, two}, canonical_nan},
      {"max", {one, two | sign}, one},
      {"max", {some_nan, two}, two},
      {"max.NaN", {three, two}, three},
      {"max.NaN", {two, some_nan}, canonical_nan},
      {"neg", {one}, one | sign},
      {"neg", {two | sign}, two},
      {"abs", {one}, one},
      {"abs", {two | sign}, two},
  };
}

void add_forms(std::vector<FormCase>& cases, const std::vector<HalfCase>& halves, std::string_view type) {
  for (const HalfCase& one : halves)
    cases.push_back({.opcode = fmt::format("{}.{}", one.opcode, type),
                     .inputs = {one.inputs.begin(), one.inputs.end()},
                     .result = one.result});
  const auto both = [](std::uint32_t low, std::uint32_t high) { return high << 16 | low; };
  for (std::size_t i = 0; i + 1 < halves.size(); i += 2) {
    const HalfCase& low = halves[i];
    const HalfCase& high = halves[i + 1];
    FormCase pair{
        .opcode = fmt::format("{}.{}x2", low.opcode, type), .inputs = {}, .result = both(low.result, high.result)};
    for (std::size_t operand = 0; operand < low.inputs.size(); ++operand)
      pair.inputs.emplace_back(both(low.inputs[operand], high.inputs[operand]));
    cases.push_back(pair);
  }
}

}  // namespace

std::vector<FormCase> half_cases() {
  std::vector<FormCase> cases;
  add_forms(cases, f16_cases(), "f16");
  add_forms(cases, bf16_cases(), "bf16");
  return cases;
}

}  // namespace attentune::simulator
