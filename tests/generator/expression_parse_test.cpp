// Text to trees and back, and every refusal.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/error.h"
#include "generator/expression.h"
#include "tests/generator/expression_random.h"

namespace attentune {
namespace {

Node leaf(Op op, int first_slot = -1) { return Node{.op = op, .first_slot = first_slot}; }
Node join(Op op, Node left, Node right) { return Node{.op = op, .operands = {std::move(left), std::move(right)}}; }

template <class Value>
Refusal refusal_of(Value (*parse)(std::string_view), std::string_view text) {
  try {
    (void)parse(text);
  } catch (const RefusalError& error) {
    CHECK(error.status() == Status::refused);
    return error.refusal();
  }
  FAIL("not refused: ", std::string(text));
  return {};
}

struct Case {
  std::string text;
  std::string canonical;
  Node root;
  std::vector<std::int64_t> arguments;
  std::string structure;
};

TEST_CASE("mask text and tree") {
  const Node causal = leaf(Op::causal);
  const Node all = leaf(Op::all);
  const std::vector<Case> cases{
      {"all", "all", all, {}, "all"},
      {"all()", "all", all, {}, "all"},
      {"((all))", "all", all, {}, "all"},
      {"causal()", "causal()", causal, {}, "causal()"},
      {" causal ( ) ", "causal()", causal, {}, "causal()"},
      {"window(1023,0)", "window(1023,0)", leaf(Op::window, 0), {1023, 0}, "window(_,_)"},
      {"window(\t1023 ,\n 0 )", "window(1023,0)", leaf(Op::window, 0), {1023, 0}, "window(_,_)"},
      {"window(-0,007)", "window(0,7)", leaf(Op::window, 0), {0, 7}, "window(_,_)"},
      {"sink(4)", "sink(4)", leaf(Op::sink, 0), {4}, "sink(_)"},
      {"causal()&window(7,0)|sink(4)",
       "causal()&window(7,0)|sink(4)",
       join(Op::either, join(Op::both, causal, leaf(Op::window, 0)), leaf(Op::sink, 2)),
       {7, 0, 4},
       "causal()&window(_,_)|sink(_)"},
      {"causal() & (window(7,0) | sink(4))",
       "causal()&(window(7,0)|sink(4))",
       join(Op::both, causal, join(Op::either, leaf(Op::window, 0), leaf(Op::sink, 2))),
       {7, 0, 4},
       "causal()&(window(_,_)|sink(_))"},
      {"sink(1)|causal()&window(2,3)",
       "sink(1)|causal()&window(2,3)",
       join(Op::either, leaf(Op::sink, 0), join(Op::both, causal, leaf(Op::window, 1))),
       {1, 2, 3},
       "sink(_)|causal()&window(_,_)"},
      {"((causal()&all)&sink(1))",
       "causal()&all&sink(1)",
       join(Op::both, join(Op::both, causal, all), leaf(Op::sink, 0)),
       {1},
       "causal()&all&sink(_)"},
      {"causal()&(all&sink(1))",
       "causal()&(all&sink(1))",
       join(Op::both, causal, join(Op::both, all, leaf(Op::sink, 0))),
       {1},
       "causal()&(all&sink(_))"},
      {"causal()|(all|sink(1))",
       "causal()|(all|sink(1))",
       join(Op::either, causal, join(Op::either, all, leaf(Op::sink, 0))),
       {1},
       "causal()|(all|sink(_))"},
      {"(causal()|all)&sink(1)",
       "(causal()|all)&sink(1)",
       join(Op::both, join(Op::either, causal, all), leaf(Op::sink, 0)),
       {1},
       "(causal()|all)&sink(_)"},
      {"(causal()&all)|sink(1)",
       "causal()&all|sink(1)",
       join(Op::either, join(Op::both, causal, all), leaf(Op::sink, 0)),
       {1},
       "causal()&all|sink(_)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Mask mask = parse_mask(c.text);
    CHECK(mask.structure->root == c.root);
    CHECK(mask.arguments == c.arguments);
    CHECK(mask.structure->text == c.structure);
    CHECK(mask.structure->slots.size() == c.arguments.size());
    CHECK(to_text(mask) == c.canonical);
    CHECK(parse_mask(c.canonical) == mask);
  }
}

TEST_CASE("score text and tree") {
  CHECK(parse_score("score").is_identity());
  CHECK(parse_score(" score ") == Score());
  CHECK(to_text(Score()) == "score");
  struct ScoreCase {
    std::string text;
    double cap;
    std::string canonical;
  };
  const std::vector<ScoreCase> cases{{"softcap(30)", 30, "softcap(30)"},
                                     {" softcap ( 30.0 ) ", 30, "softcap(30)"},
                                     {"softcap(0.1)", 0.1, "softcap(0.1)"},
                                     {"softcap(1e2)", 100, "softcap(100)"},
                                     {"softcap(1e18)", 1e18, "softcap(1e+18)"},
                                     {"softcap(0.30000000000000004)", 0.1 + 0.2, "softcap(0.30000000000000004)"}};
  for (const ScoreCase& c : cases) {
    CAPTURE(c.text);
    const Score score = parse_score(c.text);
    CHECK(score.structure->root == Node{.op = Op::softcap, .literal = c.cap});
    CHECK(to_text(score) == c.canonical);
    CHECK(score.structure->text == c.canonical);
    CHECK(parse_score(c.canonical) == score);
  }
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> exponent(-17, 17);
  for (int k = 0; k < 2000; ++k) {
    const double cap = std::pow(10, exponent(random));
    Score score;
    score.structure = make_structure(Node{.op = Op::softcap, .literal = cap});
    CHECK(parse_score(to_text(score)).structure->root.literal == cap);
  }
}

TEST_CASE("defaults share one structure; equality goes by text") {
  CHECK(Mask().structure == Mask().structure);
  CHECK(Score().structure == Score().structure);
  CHECK(Mask().is_all());
  CHECK(parse_mask("all").structure == Mask().structure);
  CHECK(parse_mask("causal()").structure != parse_mask("causal()").structure);
  CHECK(parse_mask("causal()") == parse_mask("causal()"));
  CHECK(parse_mask("sink(1)") != parse_mask("sink(2)"));
  CHECK(parse_mask("sink(1)") != parse_mask("causal()"));
  CHECK(parse_score("softcap(30)") != parse_score("softcap(50)"));
}

TEST_CASE("slots have kinds, and widths do not reach the structure") {
  const Mask mask = parse_mask("causal()&(window(1023,0)|sink(4))");
  CHECK(mask.structure->slots == std::vector{SlotKind::window_width, SlotKind::window_width, SlotKind::sink_count});
  const Mask wider = parse_mask("causal()&(window(4095,7)|sink(9))");
  CHECK(wider.structure->hash == mask.structure->hash);
  CHECK(wider.structure->text == mask.structure->text);
  // FNV-1a 64 of the text. It reaches keys, so it must never change.
  CHECK(parse_mask("causal()").structure->hash == 0xb7f82e3140bed203u);
}

TEST_CASE("parse(print(x)) is x, with the shape of the tree") {
  std::mt19937_64 random(20240517);
  for (int k = 0; k < 20000; ++k) {
    const Mask mask = testing::random_mask(random, 6, 1000);
    const std::string text = to_text(mask);
    CAPTURE(text);
    const Mask again = parse_mask(text);
    REQUIRE(again.structure->root == mask.structure->root);
    REQUIRE(again.arguments == mask.arguments);
    REQUIRE(again.structure->slots == mask.structure->slots);
    REQUIRE(again.structure->text == mask.structure->text);
    REQUIRE(again.structure->hash == mask.structure->hash);
    REQUIRE(text.find(' ') == std::string::npos);
  }
}

TEST_CASE("huge arguments are clamped, larger ones refused") {
  const Mask mask = parse_mask("window(9223372036854775807,4611686018427387905)|sink(9223372036854775807)");
  CHECK(mask.arguments == std::vector<std::int64_t>(3, max_mask_argument));
  CHECK(parse_mask(to_text(mask)) == mask);
  CHECK(refusal_of(parse_mask, "sink(9223372036854775808)").limit ==
        "n of sink(n) must fit 64 bits at character 6, found '9223372036854775808'");
}

TEST_CASE("mask refusals name the place, the word and an example that works") {
  struct Refused {
    std::string text;
    std::string limit;
  };
  const std::string words = "all, causal(), window(left,right) or sink(n) is expected at character ";
  const std::vector<Refused> cases{
      {"", words + "1, the text ends"},
      {"   ", words + "4, the text ends"},
      {"causl()", words + "1, found 'causl'"},
      {"Causal()", words + "1, found 'Causal'"},
      {"causal()&", words + "10, the text ends"},
      {"causal()&&sink(1)", words + "10, found '&'"},
      {"&causal()", words + "1, found '&'"},
      {"causal()|5", words + "10, found '5'"},
      {"\xc3\xa9", words + "1, found '\xc3\xa9'"},
      {"()", words + "2, found ')'"},
      {"softcap(30)", words + "1, found 'softcap'"},
      {"causal", "'(' of causal() is expected at character 7, the text ends"},
      {"causal(", "causal() takes no arguments: ')' is expected at character 8, the text ends"},
      {"causal(1)", "causal() takes no arguments: ')' is expected at character 8, found '1'"},
      {"all(1)", "')' after 'all(' is expected at character 5, found '1'"},
      {"(causal()", "')' or an operator is expected at character 10, the text ends"},
      {"causal())", "'&', '|' or the end is expected at character 9, found ')'"},
      {"causal() sink(1)", "'&', '|' or the end is expected at character 10, found 'sink'"},
      {"window()", "window(left,right) takes 2 arguments, 0 found before character 9"},
      {"window(1)", "window(left,right) takes 2 arguments, 1 found before character 10"},
      {"window(1,2,3)", "window(left,right) takes no more arguments: ')' is expected at character 12, found '3'"},
      {"window(1 2)", "')' or ',' is expected at character 10, found '2'"},
      {"window(1,)", "right of window(left,right) must be a whole number at character 10, found ')'"},
      {"window(,1)", "left of window(left,right) must be a whole number at character 8, found ','"},
      {"window(-1,0)", "left of window(left,right) must be 0 or more at character 8, found '-1'"},
      {"window(0,-5)", "right of window(left,right) must be 0 or more at character 10, found '-5'"},
      {"window(1.5,0)", "left of window(left,right) must be a whole number at character 8, found '1.5'"},
      {"window(1e3,0)", "left of window(left,right) must be a whole number at character 8, found '1e3'"},
      {"window(+1,0)", "left of window(left,right) must be a whole number at character 8, found '+1'"},
      {"window((1),0)", "left of window(left,right) must be a whole number at character 8, found '('"},
      {"window(99999999999999999999,0)",
       "left of window(left,right) must fit 64 bits at character 8, found '99999999999999999999'"},
      {"sink()", "sink(n) takes 1 argument, 0 found before character 7"},
      {"sink(-1)", "n of sink(n) must be 0 or more at character 6, found '-1'"},
      {"sink(x)", "n of sink(n) must be a whole number at character 6, found 'x'"},
  };
  for (const Refused& c : cases) {
    CAPTURE(c.text);
    const Refusal refusal = refusal_of(parse_mask, c.text);
    CHECK(refusal.field == "mask");
    CHECK(refusal.value == c.text);
    CHECK(refusal.limit == c.limit);
    CHECK(refusal.remedy == "use for example mask=causal()&(window(1023,0)|sink(4))");
  }
  CHECK_NOTHROW((void)parse_mask("causal()&(window(1023,0)|sink(4))"));
  CHECK(refusal_of(parse_mask, std::string(200, 'x')).value == std::string(80, 'x') + "...");
}

TEST_CASE("score refusals") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "score or softcap(cap) is expected at character 1, the text ends"},
      {"causal()", "score or softcap(cap) is expected at character 1, found 'causal'"},
      {"score()", "the end is expected at character 6, found '('"},
      {"softcap", "'(' of softcap(cap) is expected at character 8, the text ends"},
      {"softcap()", "cap of softcap(cap) must be a number at character 9, found ')'"},
      {"softcap(x)", "cap of softcap(cap) must be a number at character 9, found 'x'"},
      {"softcap(30", "')' after the cap is expected at character 11, the text ends"},
      {"softcap(30,1)", "')' after the cap is expected at character 11, found ','"},
      {"softcap(30)x", "the end is expected at character 12, found 'x'"},
      {"softcap(0)", "cap of softcap(cap) must be finite and greater than 0 at character 9, found '0'"},
      {"softcap(-3)", "cap of softcap(cap) must be finite and greater than 0 at character 9, found '-3'"},
      {"softcap(inf)", "cap of softcap(cap) must be finite and greater than 0 at character 9, found 'inf'"},
      {"softcap(nan)", "cap of softcap(cap) must be finite and greater than 0 at character 9, found 'nan'"},
      {"softcap(1e999)", "cap of softcap(cap) must be finite and greater than 0 at character 9, found '1e999'"},
      {"softcap(1e19)", "cap of softcap(cap) must lie between 1e-18 and 1e18 at character 9, found '1e19'"},
  };
  for (const auto& [text, limit] : cases) {
    CAPTURE(text);
    const Refusal refusal = refusal_of(parse_score, text);
    CHECK(refusal.field == "score");
    CHECK(refusal.limit == limit);
    CHECK(refusal.remedy == "use for example score=softcap(30)");
  }
}

TEST_CASE("slots and depth are limited") {
  const auto chain = [](std::string_view term, std::string_view separator, int count) {
    std::string text(term);
    for (int k = 1; k < count; ++k)
      text.append(separator).append(term);
    return text;
  };
  CHECK_NOTHROW((void)parse_mask(chain("sink(1)", "|", max_mask_slots)));
  CHECK(refusal_of(parse_mask, chain("sink(1)", "|", max_mask_slots + 1)).limit ==
        "a mask has at most 8 arguments; one more stands at character 70, found '1'");
  CHECK(refusal_of(parse_mask, chain("window(1,2)", "&", 5)).limit.starts_with("a mask has at most 8 arguments"));

  CHECK_NOTHROW((void)parse_mask(chain("causal()", "&", max_expression_depth)));
  const std::string deep = "a mask nests at most 32 deep";
  CHECK(refusal_of(parse_mask, chain("causal()", "&", max_expression_depth + 1)).limit.starts_with(deep));
  CHECK(refusal_of(parse_mask, std::string(100000, '(')).limit.starts_with(deep));
  const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "all" + std::string(depth, ')'); };
  CHECK_NOTHROW((void)parse_mask(nested(max_expression_depth)));
  CHECK(refusal_of(parse_mask, nested(max_expression_depth + 1)).limit.starts_with(deep));

  // The highest right-leaning tree needs the most parentheses; it still parses from its own text.
  std::string right = "causal()";
  for (int k = 1; k < max_expression_depth; ++k)
    right = k == 1 ? "all&causal()" : "all&(" + right + ')';
  CHECK(to_text(parse_mask(right)) == right);
}

}  // namespace
}  // namespace attentune
