#include "tuner/order.h"

#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("families that are about as fast take turns, and of a slow one the default alone is tried") {
  const KernelFamily* const a = find_family("forward_host");
  const KernelFamily* const b = find_family("forward_mma");
  const KernelFamily* const c = find_family("forward_wgmma");
  const auto times = [](const double factor) {
    return [factor](const Config& config) { return factor * (10 + sum(config)); };
  };
  const std::vector<FamilySpace> spaces{
      {.family = a, .space = grid(1, 50), .default_config = parse_config("d0=9"), .cost = times(1)},
      {.family = b, .space = grid(1, 50), .default_config = parse_config("d0=8"), .cost = times(1.2)},
      {.family = c, .space = grid(1, 50), .default_config = parse_config("d0=7"), .cost = times(1.3)}};
  const auto order = candidate_order({.spaces = spaces, .preferred = {}, .seed = 1, .limit = 1000});
  REQUIRE(order.size() == 101);
  const auto point = [](const KernelFamily* family, const char* config) {
    return FamilyConfig{.family = family, .config = parse_config(config)};
  };
  CHECK(order[0] == point(a, "d0=9"));
  CHECK(order[1] == point(b, "d0=8"));
  CHECK(order[2] == point(c, "d0=7"));
  CHECK(order[3] == point(a, "d0=0"));
  CHECK(order[4] == point(b, "d0=0"));
  CHECK(order[5] == point(a, "d0=1"));
  CHECK(order[6] == point(b, "d0=1"));
  CHECK(std::ranges::count(order, c, &FamilyConfig::family) == 1);
  CHECK(std::ranges::count(order, a, &FamilyConfig::family) == 50);
}

TEST_CASE("decode on Hopper is tried by both families in equal parts, a long prefill by one") {
  const Arch arch = gpu_arch("sm_90a");
  const auto of_wgmma = [&](const char* text) {
    const Problem problem = parse_problem(text);
    const std::vector<FamilySpace> spaces = spaces_of(serving_families(problem, arch), problem, arch);
    REQUIRE(spaces.size() == 2);
    const auto order = candidate_order({.spaces = spaces, .preferred = {}, .seed = 1, .limit = 100});
    for (const auto& [family, config] : order)
      CHECK_FALSE(family->space(problem, arch).why_not(config).has_value());
    return std::ranges::count(order, find_family("forward_wgmma"), &FamilyConfig::family);
  };
  const auto decode = of_wgmma("dtype=bf16 heads=32/8 head_dim=128 seq=1/8192");
  CHECK(decode > 40);
  CHECK(decode < 60);
  CHECK(of_wgmma("dtype=bf16 heads=32/8 head_dim=128 seq=8192 mask=causal()") == 99);
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
