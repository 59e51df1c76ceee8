#include "runtime/reference/sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "generator/key.h"
#include "runtime/reference/probe_set.h"
#include "runtime/reference/random_tensors.h"

using namespace attentune;

namespace {

bool has_query(const std::vector<Row>& rows, std::int64_t query) {
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.query == query; });
}

}  // namespace

TEST_CASE("small problems are checked whole") {
  const Problem p = parse_problem("dtype=f32 batch=2 heads=4/2 head_dim=16 seq=33/77");
  CHECK(sample_rows(p, 1) == all_rows(p));
}

TEST_CASE("samples hold the first, the last, tile edges and mask edges, within the problem and without repeats") {
  for (const char* const text :
       {"dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()",
        "dtype=f32 batch=1 heads=8/8 head_dim=64 seq=3000/5000 mask=causal()&(window(1023,0)|sink(4))"}) {
    const Problem p = parse_problem(text);
    const std::vector<Row> rows = sample_rows(p, 7);
    CAPTURE(text);
    CAPTURE(rows.size());
    CHECK(rows.size() > 100);
    CHECK(std::set<Row>(rows.begin(), rows.end()).size() == rows.size());
    for (const Row& row : rows) {
      CHECK(row.batch >= 0);
      CHECK(row.batch < p.batch);
      CHECK(row.head >= 0);
      CHECK(row.head < p.heads_q);
      CHECK(row.query >= 0);
      CHECK(row.query < p.len_q);
    }
    for (const std::int64_t query :
         {std::int64_t{0}, p.len_q - 1, std::int64_t{127}, std::int64_t{128}, std::int64_t{16}}) {
      CAPTURE(query);
      CHECK(has_query(rows, query));
    }
    for (const std::int64_t width : p.mask.arguments) {
      const std::int64_t edge = width - p.shift();
      if (edge >= 0 && edge < p.len_q)
        CHECK(has_query(rows, edge));
    }
    std::set<std::int64_t> heads;
    for (const Row& row : rows)
      heads.insert(row.head / p.group());
    CHECK(heads.size() >= 2);
    CHECK(sample_rows(p, 7) == rows);
    CHECK(sample_rows(p, 8) != rows);
  }
}

TEST_CASE("huge problems still give rows, and at most the budget's") {
  const Problem decode = parse_problem("dtype=bf16 batch=64 heads=64/8 head_dim=128 seq=1/131072");
  const std::vector<Row> rows = sample_rows(decode, 1);
  CHECK(!rows.empty());
  CHECK(rows.size() < 200);
  const Problem none = parse_problem("dtype=bf16 heads=1 head_dim=64 seq=0/10");
  CHECK(sample_rows(none, 1).empty());
  const Problem endless =
      parse_problem("dtype=bf16 heads=4 head_dim=64 seq=9000 mask=window(9223372036854775807,4611686018427387904)");
  CHECK(!sample_rows(endless, 1).empty());
}

TEST_CASE("the probe set stays in its class and its budget, and depends on the class alone") {
  for (const char* const text :
       {"dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()", "dtype=f32 heads=1 head_dim=1 seq=1",
        "dtype=bf16 heads=128/1 head_dim=576/512 seq=1/8192 outputs=out,lse",
        "dtype=f16 heads=8/4 head_dim=256 seq=9000 mask=window(4095,0) score=softcap(50) sink_logit=yes"}) {
    CAPTURE(text);
    const Problem p = parse_problem(text);
    const std::vector<Probe> probes = probe_set(p);
    double total = 0;
    bool masked_rows = false;
    bool no_keys = false;
    for (const Probe& probe : probes) {
      CAPTURE(probe.what);
      CHECK(same_class(p, probe.problem));
      CHECK_FALSE(refusal(probe.problem).has_value());
      total += flops(probe.problem);
      masked_rows |= probe.problem.len_q > probe.problem.len_kv && probe.problem.len_kv > 0;
      no_keys |= probe.problem.len_kv == 0;
    }
    CHECK(masked_rows);
    CHECK(no_keys);
    CHECK(total <= probe_budget_flop);
    Problem other = p;
    other.batch = 3;
    other.heads_q = 3 * p.group();
    other.heads_kv = 3;
    other.len_q = 77;
    const std::vector<Probe> same = probe_set(other);
    REQUIRE(same.size() == probes.size());
    for (std::size_t at = 0; at < probes.size(); ++at)
      CHECK(same[at].problem == probes[at].problem);
  }
}
