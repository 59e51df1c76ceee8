// 9.7.6 and 9.7.7 comparison and selection. A comparison is what it says of a pair that is less, equal, greater or
// unordered (9.3.1, tables 20 to 23), here for every type that has it.
#include <array>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulator/form_case.h"

namespace attentune::simulator {
namespace {

struct Operator {
  std::string_view name;
  std::array<bool, 4> truth;  // less, equal, greater, unordered
};

constexpr Operator equality[] = {{"eq", {false, true, false, false}}, {"ne", {true, false, true, false}}};
constexpr Operator order[] = {{"lt", {true, false, false, false}},
                              {"le", {true, true, false, false}},
                              {"gt", {false, false, true, false}},
                              {"ge", {false, true, true, false}}};
constexpr Operator unsigned_order[] = {{"lo", {true, false, false, false}},
                                       {"ls", {true, true, false, false}},
                                       {"hi", {false, false, true, false}},
                                       {"hs", {false, true, true, false}}};
// "u": also of a NaN.
constexpr Operator of_floats[] = {{"equ", {false, true, false, true}}, {"neu", {true, false, true, true}},
                                  {"ltu", {true, false, false, true}}, {"leu", {true, true, false, true}},
                                  {"gtu", {false, false, true, true}}, {"geu", {false, true, true, true}},
                                  {"num", {true, true, true, false}},  {"nan", {false, false, false, true}}};

struct Pair {
  RegisterValue left;
  RegisterValue right;
};

struct ComparedType {
  std::string_view name;
  std::vector<Pair> pairs;  // less, equal, greater; floats: unordered
};

std::vector<ComparedType> floats() {
  constexpr int nan = 0x7FC00000;
  constexpr std::uint64_t wide_nan = 0x7FF8000000000000;
  return {
      {"f32", {{-0x1p-130F, 0.0F}, {0.0F, -0.0F}, {2.0F, 1.0F}, {nan, 1.0F}}},
      {"ftz.f32", {{1.0F, 2.0F}, {0x1p-130F, 0.0F}, {2.0F, 1.0F}, {1.0F, nan}}},  // subnormals are zeros
      {"f64", {{1.0, 1.0 + 0x1p-52}, {0.0, -0.0}, {-1.0, -2.0}, {wide_nan, wide_nan}}},
      {"f16", {{0xC000, 0x3C00}, {0x0000, 0x8000}, {0x0001, 0x0000}, {0x7E00, 0x3C00}}},
      {"bf16", {{0xC000, 0x3F80}, {0x0000, 0x8000}, {0x4000, 0x3F80}, {0x3F80, 0x7FC0}}},
  };
}

// setp alone, and what .and, .or and .xor make of it and of a predicate (9.7.6.2).
template <class Operators>
void add_setp(std::vector<FormCase>& cases, const Operators& operators, const ComparedType& type) {
  for (const Operator& op : operators) {
    for (std::size_t relation = 0; relation < type.pairs.size(); ++relation) {
      const bool truth = op.truth.at(relation);
      const auto& [left, right] = type.pairs[relation];
      cases.push_back({fmt::format("setp.{}.{}", op.name, type.name), {left, right}, truth});
      for (const bool third : {false, true}) {
        cases.push_back({fmt::format("setp.{}.and.{}", op.name, type.name), {left, right, third}, truth && third});
        cases.push_back({fmt::format("setp.{}.or.{}", op.name, type.name), {left, right, third}, truth || third});
        cases.push_back({fmt::format("setp.{}.xor.{}", op.name, type.name), {left, right, third}, truth != third});
      }
    }
  }
}

void add_integers(std::vector<FormCase>& cases, int bits) {
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);  // the largest step there is, downwards where it is a sign
  const std::string unsigned_type = fmt::format("u{}", bits);
  const std::string signed_type = fmt::format("s{}", bits);
  const std::string untyped = fmt::format("b{}", bits);
  add_setp(cases, equality, {untyped, {{0, top}, {top, top}, {top, 0}}});
  const ComparedType unsigned_pairs{unsigned_type, {{0, top}, {top, top}, {top, 0}}};
  add_setp(cases, equality, unsigned_pairs);
  add_setp(cases, order, unsigned_pairs);
  add_setp(cases, unsigned_order, unsigned_pairs);
  const ComparedType signed_pairs{signed_type, {{top, 0}, {top, top}, {0, top}}};
  add_setp(cases, equality, signed_pairs);
  add_setp(cases, order, signed_pairs);
  for (const std::string& type : {unsigned_type, signed_type, untyped}) {
    cases.push_back({"selp." + type, {top | 1, 2, true}, top | 1});
    cases.push_back({"selp." + type, {top | 1, 2, false}, 2});
  }
}

}  // namespace

std::vector<FormCase> comparison_cases() {
  std::vector<FormCase> cases{
      {"selp.f32", {1.5F, -2.5F, true}, 1.5F},
      {"selp.f32", {1.5F, -2.5F, false}, -2.5F},
      {"selp.f64", {1.5, -2.5, true}, 1.5},
      {"selp.f64", {1.5, -2.5, false}, -2.5},
      // 9.7.6.4: the first where the third is not negative.
      {"slct.f32.s32", {1.5F, -2.5F, 0}, 1.5F},
      {"slct.f32.s32", {1.5F, -2.5F, -1}, -2.5F},
  };
  for (const int bits : {16, 32, 64})
    add_integers(cases, bits);
  for (const ComparedType& type : floats()) {
    add_setp(cases, equality, type);
    add_setp(cases, order, type);
    add_setp(cases, of_floats, type);
  }
  return cases;
}

}  // namespace attentune::simulator
