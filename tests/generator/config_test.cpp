#include "generator/config.h"

#include <doctest/doctest.h>

#include <set>

#include "generator/error.h"

using namespace attentune;

namespace {

ConfigSpace small_space() {
  ConfigSpace space;
  space.add({"tile_m", ChoiceKind::compile, {"32", "64", "96"}, "rows"});
  space.add({"pack", ChoiceKind::compile, {"k", "none"}, "packing"});
  space.add({"grain", ChoiceKind::launch, {"1", "2"}, "tasks at once"});
  space.require("pack", "a tile_m above 32",
                [](const Config& c) { return c.integer("tile_m") > 32 || c.word("pack") == "none"; });
  return space;
}

}  // namespace

TEST_CASE("text goes both ways, compile choices before the bar, launch choices behind") {
  Config config;
  config.add("tile_m", "96", ChoiceKind::compile);
  config.add("micro", "6x4", ChoiceKind::compile);
  config.add("grain", "1", ChoiceKind::launch);
  CHECK(to_text(config) == "tile_m=96 micro=6x4 | grain=1");
  CHECK(config.compile_text() == "tile_m=96 micro=6x4");
  CHECK(parse_config(to_text(config)) == config);
  CHECK(config.integer("tile_m") == 96);
  CHECK(config.word("micro") == "6x4");
  CHECK_THROWS_AS((void)config.integer("micro"), Error);
  CHECK_THROWS_AS((void)config.word("none"), Error);
}

TEST_CASE("malformed text is refused") {
  for (const char* text :
       {"tile_m", "tile_m=", "=3", "Tile=3", "a=1 a=2", "a=1 | b=2 | c=3", "a=1|a=2", "a='1 2'", "a=A"}) {
    INFO(text);
    CHECK_THROWS_AS((void)parse_config(text), RefusalError);
  }
}

TEST_CASE("a space enumerates every feasible point once, in order, and no other") {
  const ConfigSpace space = small_space();
  CHECK(space.raw_size() == 12);
  CHECK(space.feasible_size() == 10);
  std::set<std::string> seen;
  space.for_each([&](const Config& config) {
    CHECK(!space.why_not(config));
    CHECK(parse_config(to_text(config)) == config);
    CHECK(seen.insert(to_text(config)).second);
    return true;
  });
  CHECK(seen.size() == 10);
  CHECK(seen.count("tile_m=32 pack=k | grain=1") == 0);
  int visited = 0;
  space.for_each([&](const Config&) { return ++visited < 3; });
  CHECK(visited == 3);
}

TEST_CASE("pruned branches are never visited") {
  ConfigSpace space;
  std::vector<std::string> many;
  for (int value = 0; value < 1000; ++value)
    many.push_back(std::to_string(value));
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    space.add({name, ChoiceKind::compile, many, ""});
  int asked = 0;
  space.require("a", "what nobody has", [&](const Config&) {
    ++asked;
    return false;
  });
  CHECK(space.raw_size() == 1'000'000'000'000'000'000u);
  CHECK(space.feasible_size() == 0);
  CHECK(asked == 1000);
}

TEST_CASE("why_not names the reason") {
  const ConfigSpace space = small_space();
  CHECK(space.why_not(parse_config("tile_m=64")).value() == "it has 1 choices, the space has 3");
  CHECK(space.why_not(parse_config("tile_m=48 pack=k | grain=1")).value() == "tile_m=48 is not one of 32 64 96");
  CHECK(space.why_not(parse_config("tile_m=32 pack=k | grain=1")).value() == "pack=k needs a tile_m above 32");
  CHECK(space.why_not(parse_config("tile_m=64 pack=k grain=1")).value().find("choice 3") == 0);
  CHECK_THROWS_AS(small_space().require("absent", "", [](const Config&) { return true; }), Error);
}
