#include "generator/workloads.h"

#include <doctest/doctest.h>

#include <set>

using namespace attentune;

namespace {
const Problem& named(const std::vector<NamedProblem>& problems, std::string_view name) {
  for (const NamedProblem& each : problems)
    if (each.name == name)
      return each.problem;
  FAIL("no problem is called " << name);
  return problems.front().problem;
}
}  // namespace

TEST_CASE("every workload is a sound problem whose text is canonical") {
  std::set<std::string> names;
  for (const Workload& row : workloads()) {
    CAPTURE(row.model);
    CAPTURE(row.layer);
    CHECK(!row.source.empty());
    for (const NamedProblem& each : workload_problems(row.model, std::nullopt, std::nullopt)) {
      CHECK(!refusal(each.problem).has_value());
      CHECK(parse_problem(to_text(each.problem)) == each.problem);
      names.insert(each.name);
    }
  }
  CHECK(names.size() >= 25);
}

TEST_CASE("a model expands to its layers and phases") {
  const auto gemma = workload_problems("gemma-2-9b", 8192, std::nullopt);
  REQUIRE(gemma.size() == 4);
  const Problem& local = named(gemma, "gemma-2-9b.local.decode");
  CHECK(local.len_q == 1);
  CHECK(local.len_kv == 8192);
  CHECK(local.heads_q == 16);
  CHECK(local.heads_kv == 8);
  CHECK(local.head_dim_qk == 256);
  CHECK(local.effective_scale() == 1.0 / 16);
  CHECK(to_text(local.mask) == "causal()&window(4095,0)");
  CHECK(to_text(local.score) == "softcap(50)");
  CHECK(to_text(named(gemma, "gemma-2-9b.global.prefill").mask) == "causal()");

  CHECK(workload_problems("gemma-2-9b.local", 128, Phase::prefill).size() == 1);
  CHECK(workload_problems("gpt-oss.local", 128, Phase::decode).front().problem.sink_logit);
}

TEST_CASE("absorbed MLA is multi-query attention with one KV head") {
  const auto decode = workload_problems("deepseek-v3", 1024, Phase::decode);
  REQUIRE(decode.size() == 1);
  CHECK(decode.front().problem.group() == 128);
  CHECK(decode.front().problem.head_dim_qk == 576);
  CHECK(decode.front().problem.head_dim_v == 512);
}

TEST_CASE("a seq replaces the model's own, but not the keys of a prompt") {
  CHECK(workload_problems("vit-l.224", std::nullopt, std::nullopt).front().problem.len_q == 257);
  CHECK(workload_problems("vit-l.224", 100, std::nullopt).front().problem.len_kv == 100);
  const Problem cross = workload_problems("stable-diffusion-1.5.d80-cross", 64, std::nullopt).front().problem;
  CHECK(cross.len_q == 64);
  CHECK(cross.len_kv == 77);
}

TEST_CASE("an unknown model, phase or length is refused with what would work") {
  CHECK_THROWS_WITH_AS((void)workload_problems("gpt-7", 1, std::nullopt), doctest::Contains("llama-3.1-8b"),
                       RefusalError);
  CHECK_THROWS_WITH_AS((void)workload_problems("bert-large", 1, Phase::decode), doctest::Contains("no such phase"),
                       RefusalError);
  CHECK_THROWS_AS((void)workload_problems("gpt-2", 0, std::nullopt), RefusalError);
}
