#include "generator/problem.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>

#include "generator/visible_keys.h"

using namespace attentune;

namespace {

// A sound Problem drawn from a seed, touching every field.
Problem random_problem(std::mt19937_64& random) {
  const auto pick = [&](std::int64_t first, std::int64_t last) {
    return std::uniform_int_distribution<std::int64_t>(first, last)(random);
  };
  const auto dtype = [&] { return static_cast<Dtype>(pick(0, 4)); };
  Problem p;
  p.q = dtype();
  p.k = dtype();
  p.v = dtype();
  p.out = dtype();
  p.batch = pick(1, 9);
  p.heads_kv = pick(1, 9);
  p.heads_q = p.heads_kv * pick(1, 5);
  p.head_dim_qk = pick(1, 600);
  p.head_dim_v = pick(0, 1) == 0 ? p.head_dim_qk : pick(1, 600);
  p.len_q = pick(0, 5000);
  p.len_kv = pick(0, 1) == 0 ? p.len_q : pick(0, 5000);
  const char* masks[] = {"all", "causal()", "window(3,4)", "causal()&(window(1023,0)|sink(4))", "sink(2)|causal()"};
  p.mask = parse_mask(masks[pick(0, 4)]);
  if (pick(0, 1) == 1)
    p.score = parse_score("softcap(30.5)");
  p.layout = static_cast<Layout>(pick(0, 2));
  p.page_size = p.layout == Layout::paged ? pick(1, 64) : 0;
  p.lse = pick(0, 1) == 1;
  p.sink_logit = pick(0, 1) == 1;
  p.alignment = std::int64_t{1} << pick(0, 4);
  if (pick(0, 1) == 1)
    p.scale = std::uniform_real_distribution<double>(-2, 2)(random);
  return p;
}

std::string refused(const std::string& text) {
  try {
    (void)parse_problem(text);
  } catch (const RefusalError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("canonical text omits defaults and orders the fields") {
  const Problem p =
      parse_problem("  mask='causal() & window(1023, 0)' seq=4096/4096 heads=32/8 dtype=bf16\thead_dim=128 batch=1");
  CHECK(to_text(p) == "dtype=bf16 heads=32/8 head_dim=128 seq=4096 mask=causal()&window(1023,0)");
  CHECK(p.group() == 4);
  CHECK(p.effective_scale() == doctest::Approx(0.08838834764831845));
}

TEST_CASE("parse after print is the identity") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Problem p = random_problem(random);
    REQUIRE(!refusal(p));
    const std::string text = to_text(p);
    INFO(text);
    REQUIRE(parse_problem(text) == p);
    REQUIRE(to_text(parse_problem(text)) == text);
  }
}

TEST_CASE("k, v and out follow dtype unless they say otherwise") {
  const Problem fp8 = parse_problem("dtype=e4m3 heads=2 head_dim=64 seq=8");
  CHECK(fp8.v == Dtype::e4m3);
  CHECK(fp8.out == Dtype::bf16);
  const Problem mixed = parse_problem("v=e4m3 k=e4m3 heads=2 head_dim=64 seq=8 dtype=bf16");
  CHECK(mixed.q == Dtype::bf16);
  CHECK(mixed.k == Dtype::e4m3);
  CHECK(mixed.out == Dtype::bf16);
}

TEST_CASE("refusals name field, value, limit and remedy") {
  const std::string sound = "dtype=bf16 heads=32/8 head_dim=128 seq=64 ";
  CHECK(refused("dtype=bf16 heads=32/5 head_dim=128 seq=64") ==
        "heads=32/5 is refused: query heads must be a whole multiple of KV heads; for example heads=30/5");
  CHECK(refused("dtype=bf17 heads=4 head_dim=8 seq=1").find("dtype=bf17 is refused") == 0);
  CHECK(refused("heads=4 head_dim=8 seq=1").find("dtype is refused: every problem needs it") == 0);
  CHECK(refused(sound + "colour=red").find("colour=red is refused: a problem has no such field; use: pass dtype") == 0);
  CHECK(refused(sound + "batch=0").find("batch=0 is refused: it must be between 1 and") == 0);
  CHECK(refused(sound + "batch=two").find("batch=two is refused") == 0);
  CHECK(refused(sound + "batch=1 batch=2").find("the field is given twice") != std::string::npos);
  CHECK(refused(sound + "batch").find("has no '='") != std::string::npos);
  CHECK(refused(sound + "mask=causal() sink(4)").find("the word \"sink(4)\" has no '='") != std::string::npos);
  CHECK(refused(sound + "mask=causal() & ").find("mask") == 0);
  CHECK(refused("mask=window(63,0 " + sound).find("a parenthesis is not closed") != std::string::npos);
  CHECK(refused(sound + "mask='causal()").find("a quote is not closed") != std::string::npos);
  CHECK(refused(sound + "mask=window(-1,0)").find("mask") == 0);
  CHECK(refused(sound + "page_size=16").find("only layout=paged has pages") != std::string::npos);
  CHECK(refused(sound + "layout=paged").find("page_size=0 is refused") == 0);
  CHECK(refused(sound + "align=3").find("align=3 is refused") == 0);
  CHECK(refused(sound + "scale=inf").find("scale=inf is refused") == 0);
  for (const std::string scale : {"1e+19", "-1e+39", "1e-19", "-1e-300"})
    CHECK(refused(sound + "scale=" + scale).find("scale=" + scale + " is refused") == 0);
  for (const std::string scale : {"0", "-0", "1e18", "-1e-18"})
    CHECK(refused(sound + "scale=" + scale).empty());
  CHECK(refused(sound + "outputs=lse").find("use out or out,lse") != std::string::npos);
  CHECK(refused("dtype=f32 heads=1000000 head_dim=128 seq=1000000000").find("2^56 elements") != std::string::npos);
  CHECK(refused("dtype=f32 heads=1 head_dim=128 seq=99999999999999999999").find("seq=") == 0);
}

TEST_CASE("flops count visible pairs only") {
  // By hand: 4 rows of 4 keys causal = 10 pairs; 2 heads; 2 * (64 + 64) flops a pair.
  CHECK(flops(parse_problem("dtype=f32 heads=2 head_dim=64 seq=4 mask=causal()")) == 10.0 * 2 * 256);
  CHECK(flops(parse_problem("dtype=f32 heads=2 head_dim=64 seq=4")) == 16.0 * 2 * 256);
  // Two rows against three keys, bottom-right aligned: row 0 sees keys 0 and 1, row 1 all three.
  CHECK(flops(parse_problem("dtype=f32 heads=1 head_dim=64 seq=2/3 mask=causal()")) == 5.0 * 256);
  // More queries than keys: the first rows see nothing.
  CHECK(flops(parse_problem("dtype=f32 heads=1 head_dim=64 seq=5/2 mask=causal()")) == 3.0 * 256);
}

TEST_CASE("visible_keys agrees with counting") {
  const char* masks[] = {"all",
                         "causal()",
                         "window(3,1)",
                         "window(0,0)",
                         "sink(2)",
                         "causal()&(window(2,0)|sink(3))",
                         "window(1,0)|sink(5)",
                         "sink(3)|causal()&window(4,9)"};
  for (const char* text : masks) {
    const Mask mask = parse_mask(text);
    for (std::int64_t len_q = 1; len_q < 9; len_q += 2) {
      for (std::int64_t len_kv = 0; len_kv < 12; len_kv += 3) {
        for (std::int64_t i = 0; i < len_q; ++i) {
          std::int64_t counted = 0;
          for (std::int64_t j = 0; j < len_kv; ++j)
            counted += visible(mask, i, j, len_kv - len_q) ? 1 : 0;
          INFO(text << " len_q " << len_q << " len_kv " << len_kv << " i " << i);
          REQUIRE(visible_keys(mask, i, len_kv - len_q, len_kv) == counted);
        }
      }
    }
  }
}

TEST_CASE("the sampled visible fraction is close to the count") {
  for (const char* mask : {"all", "causal()", "window(100,20)", "window(1023,0)", "causal()&(window(255,0)|sink(4))",
                           "sink(17)", "sink(3)|causal()&window(4,9)"}) {
    for (const char* seq :
         {"1", "2", "3/7", "63", "65/100", "500", "1000/300", "300/1000", "1/16384", "16384", "5000/77"}) {
      const std::string text = "dtype=f32 heads=2 head_dim=64 seq=" + std::string(seq) + " mask=" + mask;
      const Problem p = parse_problem(text);
      const double pairs = flops(p) / (2.0 * 2 * 128);
      const double exact = pairs / static_cast<double>(p.len_q) / static_cast<double>(p.len_kv);
      INFO(text);
      CHECK(visible_fraction(p) >= 0);
      CHECK(visible_fraction(p) <= 1);
      CHECK(std::abs(visible_fraction(p) - exact) <= 0.03 * exact + 0.002);
    }
  }
  CHECK(visible_fraction(parse_problem("dtype=f32 heads=2 head_dim=64 seq=4 mask=causal()")) == 10.0 / 16);
  CHECK(visible_fraction(parse_problem("dtype=f32 heads=2 head_dim=64 seq=0/9")) == 0);
  CHECK(visible_fraction(parse_problem("dtype=f32 heads=2 head_dim=64 seq=9/0 mask=causal()")) == 0);
}

TEST_CASE("bytes count every operand once") {
  CHECK(bytes(parse_problem("dtype=bf16 heads=4/2 head_dim=64/32 seq=8/16 outputs=out,lse")) ==
        8.0 * 4 * 64 * 2 + 16.0 * 2 * 64 * 2 + 16.0 * 2 * 32 * 2 + 8.0 * 4 * 32 * 2 + 8.0 * 4 * 4);
}
