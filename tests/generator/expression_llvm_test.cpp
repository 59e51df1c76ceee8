// The IR's text against files a reader can open; kernels that contain it are tested where they run.
#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "generator/expression.h"
#include "tests/generator/expression_random.h"

namespace attentune {
namespace {

std::string golden(const std::string& name) {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + '/' + name);
  REQUIRE_MESSAGE(file.good(), name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("IR is what the golden files say") {
  CHECK(mask_ir(*Mask().structure) == golden("mask_all.ll"));
  CHECK(mask_ir(*parse_mask("causal()").structure) == golden("mask_causal.ll"));
  CHECK(mask_ir(*parse_mask("causal()&(window(1023,0)|sink(4))").structure) == golden("mask_window_sink.ll"));
  CHECK(score_ir(*parse_score("softcap(30)").structure) == golden("score_softcap.ll"));
  CHECK(score_ir(*Score().structure) ==
        "define internal float @attentune_score(float %score) alwaysinline nounwind {\n  ret float %score\n}\n");
}

TEST_CASE("IR depends on the structure alone") {
  CHECK(mask_ir(*parse_mask("window(1,2)").structure) == mask_ir(*parse_mask("window(30,40)").structure));
}

TEST_CASE("no function of the IR defines a value twice") {
  std::mt19937_64 random(3);
  for (int k = 0; k < 500; ++k) {
    std::istringstream lines(mask_ir(*testing::random_mask(random, 6, 9).structure));
    std::set<std::string> names;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("define"))
        names.clear();
      if (line.starts_with("  %"))
        CHECK(names.insert(line.substr(0, line.find(" ="))).second);
    }
  }
}

}  // namespace
}  // namespace attentune
