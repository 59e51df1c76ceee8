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

std::vector<std::string> texts(const std::vector<FamilyConfig>& candidates) {
  std::vector<std::string> result;
  for (const FamilyConfig& candidate : candidates) {
    result.push_back(to_text(candidate.config));
  }
  return result;
}

// One family's space, as tune would line it up. `family` may be any address: nothing is asked of it.
std::vector<FamilySpace> one(ConfigSpace space, const std::string& default_config,
                             std::function<double(const Config&)> cost) {
  return {{.family = nullptr,
           .space = std::move(space),
           .default_config = parse_config(default_config),
           .cost = std::move(cost)}};
}

}  // namespace

TEST_CASE("default first, then what is preferred, then by cost with random picks between; nothing twice") {
  const auto point = [](const char* config) { return FamilyConfig{.family = nullptr, .config = parse_config(config)}; };
  const auto order = texts(candidate_order({.spaces = one(grid(2, 10), "d0=9 d1=9", sum),
                                            .preferred = {point("d0=7 d1=7"), point("d0=77 d1=7"), point("d0=9 d1=9")},
                                            .seed = 3,
                                            .limit = 1000}));
  REQUIRE(order.size() == 100);
  CHECK(std::set<std::string>(order.begin(), order.end()).size() == 100);
  CHECK(order[0] == "d0=9 d1=9");
  CHECK(order[1] == "d0=7 d1=7");
  CHECK(order[2] == "d0=0 d1=0");
}

TEST_CASE("of several families the defaults come first, and the rest by cost whoever's it is") {
  // Problems of Hopper that two families serve.
  const Problem problem = parse_problem("dtype=bf16 heads=32/8 head_dim=128 seq=1/8192");
  const Arch arch = gpu_arch("sm_90a");
  const std::vector<const KernelFamily*> families = serving_families(problem, arch);
  REQUIRE(families.size() == 2);
  const std::vector<FamilySpace> spaces = spaces_of(families, problem, arch);
  const auto order = candidate_order({.spaces = spaces, .preferred = {}, .seed = 1, .limit = 200});
  REQUIRE(order.size() == 200);
  double before = 0;
  int cheaper = 0;
  std::set<const KernelFamily*> seen;
  for (std::size_t n = 0; n < order.size(); ++n) {
    const auto& [family, config] = order[n];
    CHECK_FALSE(family->space(problem, arch).why_not(config).has_value());
    if (n < 2) {
      CHECK(order[n] == FamilyConfig{families[n], families[n]->default_config(problem, arch)});
      continue;
    }
    seen.insert(family);
    const double cost = family->resources(problem, arch, config).cost;
    cheaper += cost < before ? 1 : 0;
    before = cost;
  }
  CHECK(seen.size() == 2);
  CHECK(cheaper <= 50);  // than the one before: only what follows a random pick, one in five
}

TEST_CASE("the order depends on the seed and on nothing else") {
  const auto order = [&](const std::uint64_t seed) {
    return texts(candidate_order({.spaces = one(grid(3, 6), "d0=5 d1=5 d2=5", [](const Config&) { return 1.0; }),
                                  .preferred = {},
                                  .seed = seed,
                                  .limit = 40}));
  };
  CHECK(order(1) == order(1));
  CHECK(order(1) != order(2));
  CHECK(order(1).size() == 40);
}

TEST_CASE("a huge space is drawn from, and its rules hold") {
  ConfigSpace space = grid(12, 30);
  space.require("d1", "d0 to be the same",
                [](const Config& config) { return config.integer("d0") == config.integer("d1"); });
  REQUIRE(space.raw_size() > std::uint64_t{1} << 40);
  const auto order = candidate_order({.spaces = one(space, "", sum), .preferred = {}, .seed = 1, .limit = 50});
  REQUIRE(order.size() == 50);
  for (std::size_t n = 1; n < order.size(); ++n) {
    CHECK_FALSE(space.why_not(order[n].config));
  }
}
