// forward_host from Problem to numbers, against a naive f64 attention.
#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include <fmt/format.h>

#include "tests/runtime/host_call.h"

namespace attentune {
namespace {

const ForwardHost family;

// Of f32: rounding in S, as large as |S|, shows in P; the error bound allows 2^-22 (1 + max|S|) max|V| for it.
double output_ulp(Dtype dtype) { return dtype == Dtype::f32 ? 0x1p-19 : dtype == Dtype::f16 ? 0x1p-11 : 0x1p-8; }

void check(const std::string& text, const Arch& arch, const Config* config = nullptr, unsigned seed = 1,
           std::size_t skew = 0) {
  const Problem problem = parse_problem(text);
  const Config chosen = config != nullptr ? *config : family.default_config(problem, arch);
  const Source source = family.render(problem, arch, chosen);
  test::Call call(problem, seed, skew);
  call.run(source, arch, chosen.integer("split"));
  const auto errors = call.compare();
  INFO(text, "  ", to_text(chosen), "  ", arch.name);
  CHECK(errors.out <= output_ulp(problem.out) * (1 + errors.largest));
  CHECK(errors.lse <= 2e-5);
}

// The same CPU, its tile registers forgotten: defaults multiply by FMA or by pairs.
Arch without_tiles(Arch arch) {
  std::erase_if(arch.features, [](const std::string& feature) { return feature.starts_with("amx"); });
  return arch;
}

// The default Config with another way to pack, and whole panels to pack.
Config packed(const Problem& problem, const Arch& arch, const char* pack) {
  std::vector<Choice> choices = family.default_config(problem, arch).choices();
  for (Choice& choice : choices) {
    if (choice.name == "pack")
      choice.value = pack;
    if (choice.name == "tile_n")
      choice.value = "128";
  }
  return Config(choices);
}

// A Config of every product that multiplies f32 on this host, whatever the cost model thinks of them.
std::vector<Config> every_product(const Problem& problem, const Arch& host, const char* pack = "task") {
  std::vector<Config> configs{packed(problem, without_tiles(host), pack)};
  const Config tiles = parse_config(
      fmt::format("width=512 product=tile micro=32x2 unroll=1 tile_m=96 tile_n=128 pack={} | grain=1 split=1", pack));
  if (!family.space(problem, host).why_not(tiles).has_value())
    configs.push_back(tiles);
  return configs;
}

TEST_CASE("shapes, dtypes, masks and groups agree with the definition") {
  const Arch host = llvm_backend::host_arch();
  int turn = 0;
  for (const char* text : {
           "dtype=f32 heads=1 head_dim=64 seq=100 outputs=out,lse",
           "dtype=f32 heads=2/1 head_dim=128 seq=200/333 mask=causal() outputs=out,lse batch=2",
           "dtype=bf16 heads=8/2 head_dim=128 seq=77/300 mask=causal() outputs=out,lse",
           "dtype=f16 heads=4/4 head_dim=40 seq=65/77 outputs=out,lse",
           "dtype=f16 heads=3/1 head_dim=80/96 seq=1/257 outputs=out,lse",
           "dtype=f32 heads=6/2 head_dim=1/1 seq=5/9 mask=causal() outputs=out,lse",
           "dtype=f32 heads=2 head_dim=3/17 seq=19/131 mask=window(7,3) outputs=out,lse",
           "dtype=bf16 heads=2 head_dim=576/512 seq=9/70 mask=causal() outputs=out,lse",
           "dtype=bf16 heads=2 head_dim=192/128 seq=40/70 mask=causal() outputs=out,lse",
           "dtype=f32 heads=2 head_dim=64 seq=300/90 mask=causal() outputs=out,lse",
           "dtype=f32 heads=2 head_dim=64 seq=300/90 mask=causal() outputs=out,lse sink_logit=yes",
           "dtype=bf16 k=f16 v=f32 out=f32 heads=10/2 head_dim=72 seq=50/140 mask=causal()&(window(20,0)|sink(4)) "
           "outputs=out,lse sink_logit=yes",
           "dtype=f32 heads=4/2 head_dim=256 seq=64/150 mask=causal()&window(33,0) score=softcap(30) outputs=out,lse",
           "dtype=f32 heads=1 head_dim=64 seq=130/400 mask=sink(3) score=softcap(2) outputs=out,lse",
           "dtype=f32 heads=1 head_dim=64 seq=33/129 outputs=out",
           "dtype=f32 heads=5/1 head_dim=33 seq=1/1 outputs=out,lse",
           "dtype=f32 heads=71/1 head_dim=64 seq=3/65 outputs=out,lse mask=causal()",
           "dtype=f16 out=bf16 heads=2 head_dim=64 seq=70/70 scale=0.5 outputs=out,lse",
           "dtype=f32 heads=2 head_dim=64 seq=70/70 scale=-0.25 outputs=out,lse",
       }) {
    // Any way to pack renders at any lengths, whether it pays or not.
    for (const Arch& arch : {host, without_tiles(host)}) {
      const Config config = packed(parse_problem(text), arch, ++turn % 3 == 0 ? "task" : "whole");
      check(text, arch, &config);
    }
  }
}

TEST_CASE("whoever packs, the numbers are the same") {
  const Arch host = llvm_backend::host_arch();
  for (const char* text : {
           "dtype=f32 heads=6/2 head_dim=48/80 seq=130/333 batch=2 mask=causal() outputs=out,lse",
           "dtype=bf16 k=f16 v=f32 out=f32 heads=4/2 head_dim=33/16 seq=200/131 mask=window(40,3) outputs=out,lse",
           "dtype=f32 heads=3 head_dim=1/64 seq=7/1 outputs=out,lse",
       }) {
    const Problem problem = parse_problem(text);
    const auto same = [&](const Arch& arch, std::initializer_list<const char*> others) {
      test::Call task(problem);
      task.run(family.render(problem, arch, packed(problem, arch, "task")), arch);
      for (const char* pack : others) {
        const Config config = packed(problem, arch, pack);
        check(text, arch, &config);
        test::Call other(problem);
        other.run(family.render(problem, arch, config), arch);
        INFO(text, " pack=", pack);
        CHECK(other.out.bytes == task.out.bytes);
        CHECK(std::memcmp(other.lse.data(), task.lse.data(), other.lse.size() * sizeof(float)) == 0);
      }
    };
    same(host, {"whole"});
    same(without_tiles(host), {"k", "whole"});
  }
  const Arch fma = without_tiles(host);
  const Problem halves = parse_problem("dtype=f16 heads=2 head_dim=72/40 seq=90/70 mask=causal() outputs=out,lse");
  CHECK_THROWS_AS((void)family.render(halves, fma, packed(halves, fma, "k")), RefusalError);
  const Problem odd = parse_problem("dtype=f32 heads=2 head_dim=72/40 seq=90/70");
  CHECK_THROWS_AS((void)family.render(odd, fma, packed(odd, fma, "k")), RefusalError);
}

// Tiles of bf16 hold f32 in three terms and f16 in two; what of d fills no tile stands in one row, or does not.
TEST_CASE("products of terms lose nothing that f32 would keep") {
  const Arch host = llvm_backend::host_arch();
  const std::size_t products = host.has("amx-bf16") && host.has("avx512bf16") ? 2 : 1;
  CHECK(every_product(parse_problem("dtype=f32 heads=1 head_dim=40 seq=20/40"), host).size() == products);
  const auto compare = [&](const char* dtypes, const char* dims) {
    const std::string text =
        fmt::format("dtype={} heads=4/2 head_dim={} seq=40/170 mask=window(90,9) outputs=out,lse", dtypes, dims);
    for (const Config& config : every_product(parse_problem(text), host))
      check(text, host, &config, 11);
  };
  for (const char* dims : {"1/33", "5/64", "10/7", "26/40", "27/1", "32/32", "66/65", "128/128"})
    compare("f32", dims);
  for (const char* scale : {"f32 scale=-0.2", "f16 scale=-0.2", "f32 scale=0"})
    compare(scale, "40/24");
  for (const char* dims : {"8/16", "23/40", "24/1", "66/65"})
    compare("f16", dims);
  for (const char* dtypes :
       {"f32 k=bf16", "bf16 k=f32", "f16 k=f32 v=bf16 out=bf16", "bf16 v=f16", "f16 k=bf16 v=f32"}) {
    compare(dtypes, "5/64");
    compare(dtypes, "40/24");
  }
}

// One key of score 0: P is 1, and the terms of V add up to V again, from 2^-103 to the largest number.
TEST_CASE("f32 passes through V bit by bit") {
  const Arch host = llvm_backend::host_arch();
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=1/64 seq=32/1 batch=4");
  test::Call call(problem);
  std::mt19937 random(3);
  for (std::int64_t b = 0; b < 4; ++b) {
    for (std::int64_t e = 0; e < 64; ++e) {
      const auto exponent = static_cast<std::uint32_t>(24 + random() % 231);
      const std::uint32_t bits = (static_cast<std::uint32_t>(random()) & 0x807fffffU) | exponent << 23U;
      test::put(Dtype::f32, call.v.at(b, 0, 0, e), std::bit_cast<float>(bits));
    }
  }
  for (std::int64_t b = 0; b < 4; ++b)
    test::put(Dtype::f32, call.k.at(b, 0, 0, 0), 0);
  test::put(Dtype::f32, call.v.at(0, 0, 0, 0), std::numeric_limits<float>::max());
  test::put(Dtype::f32, call.v.at(0, 0, 0, 1), -std::numeric_limits<float>::max());
  for (const Config& config : every_product(problem, host)) {
    call.run(family.render(problem, host, config), host);
    for (std::int64_t b = 0; b < 4; ++b) {
      for (std::int64_t i = 0; i < 32; ++i) {
        for (std::int64_t e = 0; e < 64; ++e) {
          INFO(b, " ", i, " ", e, " ", to_text(config));
          CHECK(call.out.get(b, i, 0, e) == call.v.get(b, 0, 0, e));
        }
      }
    }
  }
}

TEST_CASE("every product, and every number of parts, agrees with the definition") {
  const Arch host = llvm_backend::host_arch();
  for (const char* text : {
           "dtype=bf16 heads=4/2 head_dim=64 seq=70/200 mask=causal() outputs=out,lse",
           "dtype=bf16 heads=2 head_dim=41/39 seq=33/77 mask=window(20,3) outputs=out,lse sink_logit=yes",
           "dtype=bf16 heads=2 head_dim=80/112 seq=40/131 score=softcap(3) outputs=out,lse scale=-0.2",
           "dtype=bf16 heads=2 head_dim=64 seq=33/100 scale=0 mask=causal() outputs=out,lse",
           "dtype=bf16 heads=12/3 head_dim=128 seq=1/700 outputs=out,lse batch=2",
           "dtype=bf16 heads=16/2 head_dim=64 seq=1/40 outputs=out,lse batch=2",
           "dtype=bf16 heads=6/2 head_dim=200/33 seq=2/301 mask=causal()&window(100,0) outputs=out,lse sink_logit=yes",
           "dtype=f16 heads=5/1 head_dim=72/40 seq=1/333 mask=causal() outputs=out,lse",
           "dtype=f32 heads=8/1 head_dim=7/20 seq=2/300 mask=window(5,0) outputs=out,lse",
           "dtype=f32 heads=3/1 head_dim=576 seq=1/150 outputs=out,lse",
       }) {
    const Problem problem = parse_problem(text);
    std::map<std::string, Config> points;
    family.space(problem, host).for_each([&](const Config& config) {
      if (config.integer("tile_n") <= 64) {
        points.emplace(fmt::format("{} {} {} {} {}", config.word("width"), config.word("product"), config.word("pack"),
                                   config.word("split"), config.word("product") == "tile" ? config.word("tile_n") : ""),
                       config);
      }
      return true;
    });
    CHECK(points.size() >= 2);
    for (const auto& [name, config] : points)
      check(text, host, &config);
  }
}

TEST_CASE("parts without a visible key count for nothing") {
  const Arch host = llvm_backend::host_arch();
  // Rows see the last 3 keys or none at all.
  for (const char* text : {"dtype=f32 heads=2 head_dim=64 seq=1/700 mask=window(2,0) outputs=out,lse",
                           "dtype=f32 heads=2 head_dim=32 seq=9/6 mask=causal() outputs=out,lse"}) {
    Config config = family.default_config(parse_problem(text), host);
    std::vector<Choice> choices = config.choices();
    choices.back().value = "4";
    config = Config(choices);
    check(text, host, &config);
  }
}

TEST_CASE("V is read in place from any address") {
  const Arch host = llvm_backend::host_arch();
  const std::string text = "dtype=f32 heads=4/2 head_dim=40/48 seq=50/150 mask=causal() outputs=out,lse align=1";
  const Arch fma = without_tiles(host);
  const Config config = packed(parse_problem(text), fma, "k");
  check(text, fma, &config, 5, 1);
}

TEST_CASE("rows of any alignment are served") {
  const Arch host = llvm_backend::host_arch();
  check("dtype=f32 heads=2 head_dim=40 seq=30/50 outputs=out,lse align=1", host, nullptr, 3, 1);
  check("dtype=bf16 heads=2 head_dim=65 seq=30/50 outputs=out,lse align=1", host, nullptr, 4, 3);
}

TEST_CASE("points of the whole space compute the same attention") {
  const Arch host = llvm_backend::host_arch();
  for (const char* text : {
           "dtype=bf16 heads=6/2 head_dim=72/80 seq=45/203 mask=causal()&window(90,0) outputs=out,lse",
           "dtype=f32 heads=6/2 head_dim=64/40 seq=45/203 mask=causal()&window(90,0) outputs=out,lse",
       }) {
    const Problem problem = parse_problem(text);
    std::vector<Config> points;
    family.space(problem, host).for_each([&](const Config& config) {
      if (config.word("grain") == "1")
        points.push_back(config);
      return true;
    });
    REQUIRE(points.size() >= 100);
    const std::size_t step = points.size() / 16 + 1;
    for (std::size_t n = 0; n < points.size(); n += step)
      check(text, host, &points[n], static_cast<unsigned>(n));
  }
}

TEST_CASE("a CPU without AVX computes the same, without F16C too") {
#if defined(__x86_64__)
  for (const char* cpu : {"x86-64", "x86-64-v2", "haswell"}) {
    const Arch arch = llvm_backend::host_arch(cpu);
    check("dtype=f16 heads=4/2 head_dim=72 seq=45/103 mask=causal() outputs=out,lse", arch);
    check("dtype=bf16 heads=2 head_dim=64 seq=45/103 mask=causal()&window(20,0) score=softcap(20) outputs=out,lse",
          arch);
  }
#endif
}

TEST_CASE("keys past the sequence, NaN or not, never contribute") {
  // Call puts NaN rows behind every sequence and between rows; one more key of NaN in a masked-out place of K must
  // stay unseen, too.
  const Arch host = llvm_backend::host_arch();
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=40 seq=20/40 mask=causal() outputs=out,lse");
  for (const Config& config : every_product(problem, host)) {
    test::Call call(problem);
    for (std::int64_t e = 0; e < 40; ++e)
      test::put(Dtype::f32, call.k.at(0, 39, 0, e), NAN);
    call.run(family.render(problem, host, config), host);
    for (std::int64_t i = 0; i < 20; ++i) {
      INFO(i, " ", to_text(config));
      CHECK(std::isnan(call.out.get(0, i, 0, 0)) == (i == 19));
    }
  }
}

TEST_CASE("NaN and infinity in Q reach their row and no other") {
  const Arch host = llvm_backend::host_arch();
  for (const char* scale : {"0.5", "0"}) {
    const Problem problem =
        parse_problem(fmt::format("dtype=f32 heads=1 head_dim=40 seq=20/40 outputs=out,lse scale={}", scale));
    for (const Config& config : every_product(problem, host)) {
      test::Call call(problem);
      test::put(Dtype::f32, call.q.at(0, 3, 0, 1), NAN);
      test::put(Dtype::f32, call.q.at(0, 5, 0, 39), INFINITY);
      const float low_payload = std::bit_cast<float>(0x7f800001U);  // an infinity without its lower half
      std::memcpy(call.q.at(0, 7, 0, 2), &low_payload, sizeof low_payload);
      call.run(family.render(problem, host, config), host);
      for (std::int64_t i = 0; i < 20; ++i) {
        INFO(i, " scale=", scale, " ", to_text(config));
        const bool reached = i == 3 || i == 5 || i == 7;
        CHECK(std::isnan(call.out.get(0, i, 0, 0)) == reached);
        CHECK(std::isnan(call.lse[static_cast<std::size_t>(i)]) == reached);
      }
    }
  }
}

// P in two terms is rounded: cut, it would lose a 2^-16 of every O.
TEST_CASE("f16 values keep what f32 outputs can show") {
  const Arch host = llvm_backend::host_arch();
  const Problem one = parse_problem("dtype=f32 v=f16 heads=1 head_dim=64 seq=40 mask=window(0,0)");
  for (const Config& config : every_product(one, host)) {
    test::Call call(one, 5);
    call.run(family.render(one, host, config), host);
    for (std::int64_t i = 0; i < 40; ++i) {
      INFO(i, " ", to_text(config));
      CHECK(std::fabs(call.out.get(0, i, 0, 7) - call.v.get(0, i, 0, 7)) <=
            0x1p-22 * std::fabs(call.v.get(0, i, 0, 7)));
    }
  }
  const Problem many = parse_problem("dtype=f32 v=f16 heads=1 head_dim=64 seq=40/4096");
  for (const Config& config : every_product(many, host)) {
    test::Call call(many, 6);
    for (std::int64_t j = 0; j < 4096; ++j) {
      for (std::int64_t e = 0; e < 64; ++e)
        test::put(Dtype::f16, call.v.at(0, j, 0, e), static_cast<float>(0.5 + 0.5 * std::fabs(std::sin(j + 64 * e))));
    }
    call.run(family.render(many, host, config), host);
    INFO(to_text(config));
    CHECK(call.compare().out <= 3e-6);
  }
}

TEST_CASE("an empty sequence gives zero rows and an LSE of -inf") {
  const Arch host = llvm_backend::host_arch();
  check("dtype=f32 heads=2 head_dim=32 seq=20/0 outputs=out,lse", host);
  const std::string text = "dtype=bf16 heads=2 head_dim=32 seq=20/0 outputs=out,lse mask=causal()";
  for (const char* pack : {"task", "whole"}) {
    const Config config = packed(parse_problem(text), host, pack);
    check(text, host, &config);
  }
}

TEST_CASE("large magnitudes stay exact enough") {
  const Arch host = llvm_backend::host_arch();
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=64 seq=40/200 outputs=out,lse");
  test::Call call(problem, 9, 0, 8.0F);
  call.run(family.render(problem, host, family.default_config(problem, host)), host);
  const auto errors = call.compare();
  CHECK(errors.out <= 1e-3);
  CHECK(errors.lse <= 1e-3);
}

// With one key P is 1 and O is V: what goes in at V comes out at O, so conversions can be checked one by one.
test::Call copy(const std::string& dtypes, const Arch& arch, const std::vector<std::uint32_t>& bits) {
  const Problem problem = parse_problem(dtypes + " heads=1 head_dim=1/64 seq=1 batch=1024");
  test::Call call(problem);
  for (std::size_t n = 0; n < 65536; ++n) {
    const auto b = static_cast<std::int64_t>(n / 64);
    std::memcpy(call.v.at(b, 0, 0, static_cast<std::int64_t>(n % 64)), &bits[n], size_of(problem.v));
  }
  call.run(family.render(problem, arch, family.default_config(problem, arch)), arch);
  return call;
}

// x rounded to nearest even with `digits` bits after the leading one, exponents from `smallest` to `largest`.
double rounded(double x, int digits, int smallest, int largest) {
  if (x == 0 || !std::isfinite(x))
    return x;
  const int exponent = std::max(std::ilogb(x), smallest);
  const double unit = std::ldexp(1.0, exponent - digits);
  const double result = std::nearbyint(x / unit) * unit;
  return std::fabs(result) >= std::ldexp(1.0, largest + 1) ? std::copysign(INFINITY, x) : result;
}

// A key with score 0 beside keys so far below that the sum of all P is 1 in f32: O is P itself where V has a one. Q is
// 1 and the scale such that, times log2 e, it is 1 in f32, so the kernel computes 2^x of exactly the K given.
double worst_exp2_ulp(const Arch& arch, int seed) {
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=1/64 seq=1/64 batch=512 scale=0.6931471824645996");
  test::Call call(problem);
  std::mt19937 random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<float> exponent(-110.0F, -40.0F);
  for (std::int64_t b = 0; b < problem.batch; ++b) {
    test::put(Dtype::f32, call.q.at(b, 0, 0, 0), 1.0F);
    for (std::int64_t j = 0; j < 64; ++j) {
      test::put(Dtype::f32, call.k.at(b, j, 0, 0), j == 0 ? 0.0F : exponent(random));
      for (std::int64_t d = 0; d < 64; ++d)
        test::put(Dtype::f32, call.v.at(b, j, 0, d), d == j ? 1.0F : 0.0F);
    }
  }
  call.run(family.render(problem, arch, family.default_config(problem, arch)), arch);
  double worst = 0;
  for (std::int64_t b = 0; b < problem.batch; ++b) {
    CHECK(call.out.get(b, 0, 0, 0) == 1.0);
    for (std::int64_t j = 1; j < 64; ++j) {
      const double want = std::exp2(call.k.get(b, j, 0, 0));
      const double ulp = std::ldexp(1.0, std::ilogb(want) - 23);
      worst = std::max(worst, std::fabs(call.out.get(b, 0, 0, j) - want) / ulp);
    }
  }
  return worst;
}

TEST_CASE("2^x is within 2 ulp") {
  CHECK(0x1.62e43p-1F * 0x1.715476p0F == 1.0F);
  std::vector<Arch> archs{llvm_backend::host_arch()};
#if defined(__x86_64__)
  archs.push_back(llvm_backend::host_arch("haswell"));
#endif
  for (const Arch& arch : archs) {
    INFO(arch.name);
    double worst = 0;
    for (const int seed : {1, 2, 3})
      worst = std::max(worst, worst_exp2_ulp(arch, seed));
    CHECK(worst <= 2.0);
    CHECK(worst >= 0.5);  // it measures something
  }
}

std::vector<Arch> converting_archs() {
  std::vector<Arch> archs{llvm_backend::host_arch()};
#if defined(__x86_64__)
  archs.push_back(llvm_backend::host_arch("x86-64"));
#endif
  return archs;
}

TEST_CASE("every f16 and bf16 is read exactly") {
  std::vector<std::uint32_t> bits(65536);
  for (std::size_t n = 0; n < bits.size(); ++n)
    bits[n] = static_cast<std::uint32_t>(n);
  for (const Arch& arch : converting_archs()) {
    for (const char* dtypes : {"dtype=f32 v=f16 out=f32", "dtype=f32 v=bf16 out=f32"}) {
      test::Call call = copy(dtypes, arch, bits);
      std::size_t wrong = 0;
      for (std::int64_t n = 0; n < 65536; ++n) {
        const double got = call.out.get(n / 64, 0, 0, n % 64);
        const double want = call.v.get(n / 64, 0, 0, n % 64);
        wrong += std::isnan(want) ? !std::isnan(got) : got != want;
      }
      INFO(dtypes, " ", arch.name);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("f16 and bf16 are written rounded to nearest even, NaN and infinity kept") {
  std::mt19937 random(5);
  std::vector<std::uint32_t> bits(65536);
  for (std::size_t n = 0; n < bits.size(); ++n) {
    bits[n] = static_cast<std::uint32_t>(random());
    // Ties and their neighbours, and the exponents f16 can hold.
    if (n % 4 == 1)
      bits[n] = (bits[n] & 0xfffff000U) | (0x0fffU + static_cast<std::uint32_t>(n / 4 % 3));
    if (n % 4 == 2)
      bits[n] = (bits[n] & 0xffff0000U) | (0x7fffU + static_cast<std::uint32_t>(n / 4 % 3));
    if (n % 2 == 1)
      bits[n] = (bits[n] & 0x807fffffU) | ((100U + static_cast<std::uint32_t>(random() % 45)) << 23);
  }
  for (const Arch& arch : converting_archs()) {
    for (const bool half : {true, false}) {
      test::Call call = copy(half ? "dtype=f32 out=f16" : "dtype=f32 out=bf16", arch, bits);
      std::size_t wrong = 0;
      for (std::int64_t n = 0; n < 65536; ++n) {
        const double got = call.out.get(n / 64, 0, 0, n % 64);
        const double in = call.v.get(n / 64, 0, 0, n % 64);
        const double want = half ? rounded(in, 10, -14, 15) : rounded(in, 7, -126, 127);
        wrong += std::isnan(want) ? !std::isnan(got) : got != want;
      }
      const std::string dtype = half ? "f16" : "bf16";
      INFO(dtype, " ", arch.name);
      CHECK(wrong == 0);
    }
  }
}

}  // namespace
}  // namespace attentune
