#include "tuner/order.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace attentune;

namespace {

ConfigSpace grid(const int dimensions, const int values) {
  ConfigSpace space;
  for (int d = 0; d < dimensions; ++d) {
    ConfigSpace::Dimension dimension{
        .name = "d" + std::to_string(d), .kind = ChoiceKind::compile, .values = {}, .meaning = ""};
    for (int v = 0; v < values; ++v) {
      dimension.values.push_back(std::to_string(v));
    }
    space.add(std::move(dimension));
  }
  return space;
}

double sum(const Config& config) {
  double total = 0;
  for (const Choice& choice : config.choices()) {
    total += std::stod(choice.value);
  }
  return total;
}

std::vector<std::string> texts(const std::vector<Config>& configs) {
  std::vector<std::string> result;
  for (const Config& config : configs) {
    result.push_back(to_text(config));
  }
  return result;
}

}  // namespace

TEST_CASE("default first, then what is preferred, then by cost with random picks between; nothing twice") {
  const ConfigSpace space = grid(2, 10);
  const auto order = texts(
      candidate_order({.space = space,
                       .default_config = parse_config("d0=9 d1=9"),
                       .preferred = {parse_config("d0=7 d1=7"), parse_config("d0=77 d1=7"), parse_config("d0=9 d1=9")},
                       .cost = sum,
                       .seed = 3,
                       .limit = 1000}));
  REQUIRE(order.size() == 100);
  CHECK(std::set<std::string>(order.begin(), order.end()).size() == 100);
  CHECK(order[0] == "d0=9 d1=9");
  CHECK(order[1] == "d0=7 d1=7");
  CHECK(order[2] == "d0=0 d1=0");
}

TEST_CASE("the order depends on the seed and on nothing else") {
  const ConfigSpace space = grid(3, 6);
  const auto order = [&](const std::uint64_t seed) {
    return texts(candidate_order({.space = space,
                                  .default_config = parse_config("d0=5 d1=5 d2=5"),
                                  .preferred = {},
                                  .cost = [](const Config&) { return 1.0; },
                                  .seed = seed,
                                  .limit = 40}));
  };
  CHECK(order(1) == order(1));
  CHECK(order(1) != order(2));
  CHECK(order(1).size() == 40);
}

TEST_CASE("a huge space is drawn from, and its rules hold") {
  ConfigSpace space = grid(12, 30);
  space.require("d1", [](const Config& config) { return config.integer("d0") == config.integer("d1"); });
  REQUIRE(space.raw_size() > std::uint64_t{1} << 40);
  const auto order = candidate_order(
      {.space = space, .default_config = Config(), .preferred = {}, .cost = sum, .seed = 1, .limit = 50});
  REQUIRE(order.size() == 50);
  for (std::size_t n = 1; n < order.size(); ++n) {
    CHECK_FALSE(space.why_not(order[n]));
  }
}
