// 9.7.3 floating point, but for the approximations: those are in approximate_cases.cpp.
#include <algorithm>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulator/form_case.h"

namespace attentune::simulator {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float smallest_normal = 0x1p-126F;
constexpr int some_nan = 0x7FC00000;
constexpr int canonical_nan = 0x7FFFFFFF;  // 9.7.3: what an f32 NaN result is

// One operation with every rounding. The exact result of `inputs` lies between two neighbours, and which of them is
// nearer says the column of .rn; or it is a number, and all four are that.
struct RoundedCase {
  std::string_view mnemonic;
  std::vector<float> inputs;
  float rn;
  float rz;
  float rm;
  float rp;
};

std::vector<RoundedCase> rounded_cases() {
  return {
      // 0.5 and three quarters of the 2^-24 that its neighbour is away.
      {"add", {0.5F, 0x1.8p-25F}, 0x1.000002p-1F, 0.5F, 0.5F, 0x1.000002p-1F},
      {"add", {-0.5F, -0x1.8p-25F}, -0x1.000002p-1F, -0.5F, -0x1.000002p-1F, -0.5F},
      {"add", {2, 1.5F}, 3.5F, 3.5F, 3.5F, 3.5F},
      {"sub", {0.5F, -0x1.8p-25F}, 0x1.000002p-1F, 0.5F, 0.5F, 0x1.000002p-1F},
      {"sub", {-0.5F, 0x1.8p-25F}, -0x1.000002p-1F, -0.5F, -0x1.000002p-1F, -0.5F},
      // 0.875 (1 + 2^-23) = 0.875 + 1.75 * 2^-24.
      {"mul", {0.875F, 0x1.000002p0F}, 0x1.c00004p-1F, 0x1.c00002p-1F, 0x1.c00002p-1F, 0x1.c00004p-1F},
      {"mul", {-0.875F, 0x1.000002p0F}, -0x1.c00004p-1F, -0x1.c00002p-1F, -0x1.c00004p-1F, -0x1.c00002p-1F},
      {"fma", {0.875F, 0x1.000002p0F, 0}, 0x1.c00004p-1F, 0x1.c00002p-1F, 0x1.c00002p-1F, 0x1.c00004p-1F},
      {"fma", {-0.875F, 0x1.000002p0F, 0}, -0x1.c00004p-1F, -0x1.c00002p-1F, -0x1.c00004p-1F, -0x1.c00002p-1F},
      // (1 + 2^-23) (1 - 2^-23) = 1 - 2^-46, of which a product rounded by itself would leave nothing.
      {"fma", {0x1.000002p0F, 0x1.fffffcp-1F, -1}, -0x1p-46F, -0x1p-46F, -0x1p-46F, -0x1p-46F},
      {"mad", {0x1.000002p0F, 0x1.fffffcp-1F, -1}, -0x1p-46F, -0x1p-46F, -0x1p-46F, -0x1p-46F},
      {"mad", {0.875F, 0x1.000002p0F, 0}, 0x1.c00004p-1F, 0x1.c00002p-1F, 0x1.c00002p-1F, 0x1.c00004p-1F},
      {"mad", {-0.875F, 0x1.000002p0F, 0}, -0x1.c00004p-1F, -0x1.c00002p-1F, -0x1.c00004p-1F, -0x1.c00002p-1F},
      // 1/3 = 0x1.555555...p-2.
      {"div", {1, 3}, 0x1.555556p-2F, 0x1.555554p-2F, 0x1.555554p-2F, 0x1.555556p-2F},
      {"div", {-1, 3}, -0x1.555556p-2F, -0x1.555554p-2F, -0x1.555556p-2F, -0x1.555554p-2F},
      {"rcp", {3}, 0x1.555556p-2F, 0x1.555554p-2F, 0x1.555554p-2F, 0x1.555556p-2F},
      {"rcp", {-3}, -0x1.555556p-2F, -0x1.555554p-2F, -0x1.555556p-2F, -0x1.555554p-2F},
      {"rcp", {-infinity}, -0.0F, -0.0F, -0.0F, -0.0F},
      // sqrt(5) / 4 = 0x1.1e3779b9...p-1.
      {"sqrt", {0.3125F}, 0x1.1e377ap-1F, 0x1.1e3778p-1F, 0x1.1e3778p-1F, 0x1.1e377ap-1F},
      {"sqrt", {-0.0F}, -0.0F, -0.0F, -0.0F, -0.0F},
  };
}

// A subnormal operand or result: kept, and with .ftz taken for a zero of its sign.
struct SubnormalCase {
  std::string_view mnemonic;
  std::vector<float> inputs;
  float kept;
  float flushed;
};

std::vector<SubnormalCase> subnormal_cases() {
  return {
      {"add", {0x1p-130F, 0x1p-130F}, 0x1p-129F, 0},
      {"sub", {smallest_normal, 0x1p-127F}, 0x1p-127F, smallest_normal},
      {"sub", {0x1.8p-126F, smallest_normal}, 0x1p-127F, 0},
      {"mul", {0x1p-130F, 0x1p30F}, 0x1p-100F, 0},
      {"mul", {-0x1p-100F, 0x1p-30F}, -0x1p-130F, -0.0F},
      {"fma", {0x1p-100F, 0x1p-30F, 0}, 0x1p-130F, 0},
      {"fma", {0, 1, 0x1p-130F}, 0x1p-130F, 0},
      {"mad", {0x1p-130F, 0x1p30F, 0}, 0x1p-100F, 0},
      {"div", {0x1p-100F, 0x1p30F}, 0x1p-130F, 0},
      {"div", {0x1p-130F, 0x1p-30F}, 0x1p-100F, 0},
      {"rcp", {0x1p127F}, 0x1p-127F, 0},
      {"rcp", {-0x1p-127F}, -0x1p127F, -infinity},
      {"sqrt", {0x1p-130F}, 0x1p-65F, 0},
  };
}

struct Rounding {
  std::string_view modifier;
  float RoundedCase::* result;
};
constexpr Rounding roundings[] = {{"", &RoundedCase::rn},
                                  {".rn", &RoundedCase::rn},
                                  {".rz", &RoundedCase::rz},
                                  {".rm", &RoundedCase::rm},
                                  {".rp", &RoundedCase::rp}};

// 9.7.3.3 and others: .sat clamps to [0, 1], and NaN to 0.
float saturated(float value) { return std::clamp(value, 0.0F, 1.0F) + 0.0F; }

// 9.7.3.3 to .7: only add, sub and mul may leave their rounding away; div, rcp and sqrt have no .sat.
bool is_form(std::string_view mnemonic, const Rounding& rounding, bool saturates) {
  const bool simple = mnemonic == "add" || mnemonic == "sub" || mnemonic == "mul";
  const bool fused = mnemonic == "fma" || mnemonic == "mad";
  return (simple || !rounding.modifier.empty()) && (simple || fused || !saturates);
}

std::vector<RegisterValue> registers(const std::vector<float>& values) { return {values.begin(), values.end()}; }

// Every spelling of `mnemonic` with that rounding: without and with .ftz and .sat.
void add_forms(std::vector<FormCase>& cases, std::string_view mnemonic, const Rounding& rounding,
               const std::vector<float>& inputs, float kept, float flushed) {
  for (const bool saturates : {false, true}) {
    if (!is_form(mnemonic, rounding, saturates))
      continue;
    for (const bool flushes : {false, true}) {
      const float result = flushes ? flushed : kept;
      cases.push_back({.opcode = fmt::format("{}{}{}{}.f32", mnemonic, rounding.modifier, flushes ? ".ftz" : "",
                                             saturates ? ".sat" : ""),
                       .inputs = registers(inputs),
                       .result = saturates ? saturated(result) : result});
    }
  }
}

std::vector<FormCase> unrounded_cases() {
  return {
      {"add.sat.f32", {some_nan, 1.0F}, 0.0F},
      {"add.rn.f32", {some_nan, 1.0F}, canonical_nan},
      {"div.rn.f32", {0.0F, 0.0F}, canonical_nan},
      {"sqrt.rn.f32", {-1.0F}, canonical_nan},

      {"neg.f32", {2.0F}, -2.0F},
      {"neg.ftz.f32", {0x1p-130F}, -0.0F},
      {"abs.f32", {-0x1p-130F}, 0x1p-130F},
      {"abs.ftz.f32", {-0x1p-130F}, 0.0F},

      // 9.7.3.11, .12: of a NaN and a number, the number; with .NaN, NaN.
      {"min.f32", {1.0F, -2.0F}, -2.0F},
      {"min.f32", {some_nan, 2.0F}, 2.0F},
      {"min.f32", {0.0F, -0.0F}, -0.0F},
      {"min.NaN.f32", {some_nan, 2.0F}, canonical_nan},
      {"min.NaN.f32", {3.0F, 2.0F}, 2.0F},
      {"min.ftz.f32", {0x1p-130F, 1.0F}, 0.0F},
      {"min.ftz.NaN.f32", {0x1p-130F, 1.0F}, 0.0F},
      {"min.ftz.NaN.f32", {1.0F, some_nan}, canonical_nan},
      {"max.f32", {1.0F, -2.0F}, 1.0F},
      {"max.f32", {some_nan, 2.0F}, 2.0F},
      {"max.f32", {-0.0F, 0.0F}, 0.0F},
      {"max.NaN.f32", {some_nan, 2.0F}, canonical_nan},
      {"max.NaN.f32", {3.0F, 2.0F}, 3.0F},
      {"max.ftz.f32", {0x1p-130F, -1.0F}, 0.0F},
      {"max.ftz.NaN.f32", {0x1p-130F, -1.0F}, 0.0F},
      {"max.ftz.NaN.f32", {1.0F, some_nan}, canonical_nan},
      // .xorsign.abs: the lesser or greater magnitude, with the product of the signs.
      {"min.xorsign.abs.f32", {1.0F, -2.0F}, -1.0F},
      {"min.xorsign.abs.f32", {-3.0F, -2.0F}, 2.0F},
      {"max.xorsign.abs.f32", {-1.0F, 2.0F}, -2.0F},
      {"max.xorsign.abs.f32", {3.0F, 2.0F}, 3.0F},

      {"add.f64", {1.0, 0x1p-52}, 1.0 + 0x1p-52},
      {"add.rn.f64", {1.0, 0x1.8p-53}, 1.0 + 0x1p-52},
      {"sub.f64", {1.0, 3.0}, -2.0},
      {"sub.rn.f64", {1.0, -0x1.8p-53}, 1.0 + 0x1p-52},
      {"mul.f64", {1.5, -1.5}, -2.25},
      {"mul.rn.f64", {0x1.0000000000001p0, 0x1.0000000000001p0}, 0x1.0000000000002p0},
      {"fma.rn.f64", {0x1.0000000000001p0, 0x1.ffffffffffffep-1, -1.0}, -0x1p-104},
      {"div.rn.f64", {1.0, 3.0}, 0x1.5555555555555p-2},
      {"neg.f64", {2.0}, -2.0},
      {"abs.f64", {-2.0}, 2.0},
  };
}

}  // namespace

std::vector<FormCase> floating_cases() {
  std::vector<FormCase> cases = unrounded_cases();
  for (const Rounding& rounding : roundings) {
    for (const RoundedCase& one : rounded_cases())
      add_forms(cases, one.mnemonic, rounding, one.inputs, one.*rounding.result, one.*rounding.result);
    for (const SubnormalCase& one : subnormal_cases())
      add_forms(cases, one.mnemonic, rounding, one.inputs, one.kept, one.flushed);
  }
  return cases;
}

}  // namespace attentune::simulator
