#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "generator/dtype.h"
#include "runtime/npy.h"
#include "tests/sanitizers.h"
#include "tests/tools/cli.h"

using namespace attentune;
using namespace attentune::test;

namespace {

// Fields that programs read from `--json` results. They may grow in number, never change name or meaning.
const std::vector<std::string> golden_fields{"event",  "problem", "name",       "family",  "config",
                                             "device", "trust",   "provenance", "time_ms", "spread",
                                             "flops",  "ceiling", "fraction",   "error"};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> names;
  const nlohmann::ordered_json object = nlohmann::ordered_json::parse(line);
  for (const auto& [name, value] : object.items())
    names.push_back(name);
  return names;
}

struct Floats {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

Floats random_floats(std::vector<std::int64_t> shape, std::uint32_t seed) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape)
    count *= static_cast<std::size_t>(extent);
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  Floats floats{std::move(shape), std::vector<float>(count)};
  for (float& value : floats.values)
    value = normal(engine);
  return floats;
}

void save(const std::string& path, const Floats& floats) {
  NpyArray array{.type = NpyType::f4, .shape = floats.shape, .bytes = {}};
  array.bytes.resize(floats.values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), floats.values.data(), array.bytes.size());
  write_npy(path, array);
}

Floats load(const std::string& path) {
  const NpyArray array = read_npy(path);
  REQUIRE(array.type == NpyType::f4);
  Floats floats{array.shape, std::vector<float>(array.bytes.size() / sizeof(float))};
  std::memcpy(floats.values.data(), array.bytes.data(), array.bytes.size());
  return floats;
}

// Causal attention with bottom-right alignment, straight from the definition; one (batch, head, row).
struct NaiveRow {
  std::vector<double> out;
  double lse = 0;
};
NaiveRow naive_row(const Floats& q, const Floats& k, const Floats& v, std::int64_t b, std::int64_t row,
                   std::int64_t head) {
  const std::int64_t len_q = q.shape[1], heads = q.shape[2], d = q.shape[3];
  const std::int64_t len_kv = k.shape[1], heads_kv = k.shape[2], dv = v.shape[3];
  const std::int64_t kv_head = head / (heads / heads_kv);
  const auto at = [](const Floats& t, std::int64_t i, std::int64_t j, std::int64_t h, std::int64_t c) {
    return static_cast<double>(
        t.values[static_cast<std::size_t>(((i * t.shape[1] + j) * t.shape[2] + h) * t.shape[3] + c)]);
  };
  NaiveRow result{std::vector<double>(static_cast<std::size_t>(dv)), 0};
  double sum = 0;
  for (std::int64_t j = 0; j <= row + len_kv - len_q && j < len_kv; ++j) {
    double score = 0;
    for (std::int64_t c = 0; c < d; ++c)
      score += at(q, b, row, head, c) * at(k, b, j, kv_head, c);
    const double p = std::exp(score / std::sqrt(static_cast<double>(d)));
    sum += p;
    for (std::int64_t c = 0; c < dv; ++c)
      result.out[static_cast<std::size_t>(c)] += p * at(v, b, j, kv_head, c);
  }
  for (double& value : result.out)
    value = sum > 0 ? value / sum : 0;
  result.lse = std::log(sum);
  return result;
}

}  // namespace

TEST_CASE("run computes attention on the user's arrays") {
  const TemporaryFolder home;
  const Floats q = random_floats({2, 19, 4, 24}, 1);
  const Floats k = random_floats({2, 31, 2, 24}, 2);
  const Floats v = random_floats({2, 31, 2, 40}, 3);
  save(home.file("q.npy"), q);
  save(home.file("k.npy"), k);
  save(home.file("v.npy"), v);
  const Finished finished =
      run_cli(home, {"run", "mask=causal()", "--q", home.file("q.npy"), "--k", home.file("k.npy"), "--v",
                     home.file("v.npy"), "--out", home.file("o.npy"), "--lse", home.file("l.npy"), "--json"});
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(finished.event("result").at("problem") ==
        "dtype=f32 batch=2 heads=4/2 head_dim=24/40 seq=19/31 mask=causal() outputs=out,lse");
  const Floats out = load(home.file("o.npy"));
  const Floats lse = load(home.file("l.npy"));
  REQUIRE(out.shape == std::vector<std::int64_t>{2, 19, 4, 40});
  REQUIRE(lse.shape == std::vector<std::int64_t>{2, 4, 19});
  double worst = 0;
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t head = 0; head < 4; ++head)
      for (std::int64_t row = 0; row < 19; ++row) {
        const NaiveRow expected = naive_row(q, k, v, b, row, head);
        for (std::int64_t c = 0; c < 40; ++c) {
          const auto index = static_cast<std::size_t>(((b * 19 + row) * 4 + head) * 40 + c);
          worst = std::max(worst, std::abs(out.values[index] - expected.out[static_cast<std::size_t>(c)]));
        }
        worst =
            std::max(worst, std::abs(lse.values[static_cast<std::size_t>((b * 4 + head) * 19 + row)] - expected.lse));
      }
  CHECK(worst < 2e-5);
}

TEST_CASE("arrays that disagree with the problem or each other are refused by name") {
  const TemporaryFolder home;
  save(home.file("q.npy"), random_floats({1, 8, 4, 16}, 1));
  save(home.file("k.npy"), random_floats({1, 8, 4, 16}, 2));
  save(home.file("bad.npy"), random_floats({1, 9, 4, 16}, 3));
  save(home.file("flat.npy"), random_floats({8, 64}, 3));
  write_text(home.file("text.npy"), "not an array");
  const auto check = [&](const std::string& v, std::vector<std::string> extra, const std::string& part) {
    std::vector<std::string> words{"run", "--q", home.file("q.npy"), "--k", home.file("k.npy"), "--v", home.file(v)};
    words.insert(words.end(), extra.begin(), extra.end());
    const Finished finished = run_cli(home, words);
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(is_one_sentence(finished));
    CHECK(finished.err.find(part) != std::string::npos);
  };
  check("bad.npy", {}, "bad.npy");
  check("flat.npy", {}, "2 dimensions");
  check("text.npy", {}, "text.npy");
  check("none.npy", {}, "none.npy");
  check("k.npy", {"--dtype", "bf16"}, "q.npy");
  check("k.npy", {"--seq", "9"}, "q.npy");
  check("k.npy", {"--sink-logit"}, "sink_logit");
  check("k.npy", {"--sink-logit-file", home.file("q.npy")}, "q.npy");
}

TEST_CASE("--json results keep their fields") {
  const TemporaryFolder home;
  const std::string problem = "dtype=f32 heads=2 head_dim=32 seq=40 mask=causal()";
  for (const char* command : {"run", "bench", "verify"}) {
    CAPTURE(command);
    const Finished finished = run_cli(home, {command, problem, "--json"});
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
    CHECK(finished.lines().size() == 1);
    CHECK(fields_of(finished.out) == golden_fields);
    CHECK(finished.event("result").at("problem") == problem);
    CHECK(finished.event("result").at("error").get<double>() <= 1);
  }
}

TEST_CASE("a problem larger than memory is refused before anything is allocated") {
  const TemporaryFolder home;
  const Finished huge = run_cli(home, {"run", "dtype=f32", "batch=1000", "heads=64", "head_dim=128", "seq=1000000"});
  CHECK(huge.code == 1);
  CHECK(is_one_sentence(huge));
  CHECK(huge.err.find("out of memory") != std::string::npos);
}

#ifndef ATTENTUNE_SANITIZED
TEST_CASE("running out of memory midway is one sentence") {
  const TemporaryFolder home;
  // The operands take 78 MiB; somewhere between that and plenty, an allocation fails after the first check.
  int failed = 0;
  for (int mib = 90; mib <= 150; mib += 6) {
    const Finished starved = shell(home, "ulimit -v " + std::to_string(mib * 1024) +
                                             "; exec \"$ATTENTUNE\" run dtype=f32 heads=8 head_dim=128 seq=1/10000"
                                             " --threads 1 --device host");
    CAPTURE(mib);
    CAPTURE(starved.err);
    if (starved.code == 0)
      continue;
    ++failed;
    CHECK(starved.code == 1);
    CHECK(is_one_sentence(starved));
    CHECK(starved.err.find("use a smaller batch") != std::string::npos);
  }
  CHECK(failed > 0);
}
#endif
