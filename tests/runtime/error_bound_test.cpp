#include "runtime/reference/error_bound.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "runtime/reference/probe_set.h"
#include "runtime/reference/random_tensors.h"
#include "tests/runtime/plain_attention.h"

using namespace attentune;

namespace {

// A problem with its reference, against which several results are held.
struct Bench {
  Problem problem;
  CallBuffers buffers;
  std::vector<Row> rows;
  ExactRows exact;
  NaiveRows naive;

  explicit Bench(const Problem& p, std::uint64_t seed = 11, Values values = Values::normal)
      : problem(p), buffers(p), rows(all_rows(p)) {
    buffers.fill(seed, values, inline_executor());
    exact = exact_attention(problem, buffers.tensors(), rows, inline_executor());
    naive = naive_attention(problem, buffers.tensors(), rows, inline_executor());
  }

  Comparison defective(const test::Defect& defect) {
    buffers.poison();
    test::plain_attention(problem, buffers.tensors(), defect);
    return compared();
  }
  Comparison compared() { return compare(problem, buffers.tensors(), rows, exact, naive); }

  template <typename Real>
  void write(const std::vector<Real>& out, const std::vector<Real>& lse) {
    const AttentionTensors& t = buffers.tensors();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::int64_t offset = row_offset(t.out, rows[r].batch, rows[r].query, rows[r].head);
      for (std::int64_t c = 0; c < problem.head_dim_v; ++c) {
        store_element(
            t.out.data, offset + c, t.out.dtype,
            static_cast<float>(out[r * static_cast<std::size_t>(problem.head_dim_v) + static_cast<std::size_t>(c)]));
      }
      if (t.lse.data == nullptr)
        continue;
      t.lse.data[rows[r].batch * t.lse.stride[0] + rows[r].head * t.lse.stride[1] + rows[r].query] =
          static_cast<float>(lse[r]);
    }
  }
};

constexpr const char* dtypes[] = {"f32", "f16", "bf16", "e4m3", "e5m2"};

Problem problem_of(const char* dtype, const char* rest) {
  return parse_problem(std::string("dtype=") + dtype + " " + rest);
}

void check_rejected(const Comparison& comparison, const char* what) {
  CAPTURE(what);
  CAPTURE(comparison.sentence());
  CHECK_FALSE(comparison.passed);
  CHECK(comparison.worst_ratio > 1);
}

}  // namespace

TEST_CASE("the bound accepts the exact answer rounded and the naive twin itself") {
  for (const char* const dtype : dtypes) {
    for (const char* const rest :
         {"heads=4/2 head_dim=64 seq=90/150 outputs=out,lse",
          "heads=2 head_dim=40 seq=70/50 mask=causal() outputs=out,lse",
          "heads=2 head_dim=64 seq=1/700 sink_logit=yes outputs=out,lse",
          "heads=2 head_dim=64/32 seq=64/500 mask=causal()&window(63,0) score=softcap(20) outputs=out,lse"}) {
      for (const Values values : {Values::normal, Values::large, Values::negative, Values::rising, Values::counting}) {
        CAPTURE(dtype);
        CAPTURE(rest);
        CAPTURE(static_cast<int>(values));
        Bench bench(problem_of(dtype, rest), 5, values);
        bench.write(bench.exact.out, bench.exact.lse);
        const Comparison exact = bench.compared();
        CAPTURE(exact.sentence());
        CHECK(exact.passed);
        bench.write(bench.naive.out, bench.naive.lse);
        const Comparison naive = bench.compared();
        CAPTURE(naive.sentence());
        CHECK(naive.passed);
      }
    }
  }
}

TEST_CASE("the bound rejects what is wrong") {
  for (const char* const dtype : dtypes) {
    CAPTURE(dtype);
    Bench all(problem_of(dtype, "heads=4/2 head_dim=64 seq=60/1000"));
    check_rejected(all.defective({.factor = 0}), "zero output");
    check_rejected(all.defective({.factor = 2}), "a scale applied twice");
    check_rejected(all.defective({.factor = 1 / 1.5}), "a missing scale");
    check_rejected(all.defective({.visible = [](std::int64_t, std::int64_t j) { return j < 64 || j >= 128; }}),
                   "a dropped key tile");
    check_rejected(all.defective({.visible = [](std::int64_t, std::int64_t j) { return j < 984; }}), "a dropped tail");
    check_rejected(all.defective({.kv_head = [](std::int64_t head) { return head % 2; }}), "a wrong KV head");
    check_rejected(all.defective({.kv_head = [](std::int64_t) { return 0; }}), "one KV head for all");

    Bench causal(problem_of(dtype, "heads=2 head_dim=64 seq=120/160 mask=causal()"));
    check_rejected(causal.defective({.visible = [](std::int64_t i, std::int64_t j) { return j <= i + 41; }}),
                   "causal off by one, more");
    check_rejected(causal.defective({.visible = [](std::int64_t i, std::int64_t j) { return j < i + 40; }}),
                   "causal off by one, less");
    check_rejected(causal.defective({.visible = [](std::int64_t i, std::int64_t j) { return j <= i; }}), "top left");

    Bench window(problem_of(dtype, "heads=2 head_dim=64 seq=200/200 mask=window(63,5)|sink(4)"));
    const auto shown = [](std::int64_t left, std::int64_t right, std::int64_t sink) {
      return test::Defect{
          .visible = [=](std::int64_t i, std::int64_t j) { return (j >= i - left && j <= i + right) || j < sink; }};
    };
    CHECK(window.defective(shown(63, 5, 4)).passed);
    check_rejected(window.defective(shown(64, 5, 4)), "left edge, more");
    check_rejected(window.defective(shown(62, 5, 4)), "left edge, less");
    check_rejected(window.defective(shown(63, 6, 4)), "right edge, more");
    check_rejected(window.defective(shown(63, 4, 4)), "right edge, less");
    check_rejected(window.defective(shown(63, 5, 5)), "sink, more");
    check_rejected(window.defective(shown(63, 5, 3)), "sink, less");
  }
}

TEST_CASE("a single wrong value, NaN, and a wrong LSE are found and named") {
  Bench bench(problem_of("bf16", "batch=2 heads=3 head_dim=16 seq=50/70 outputs=out,lse"));
  const AttentionTensors& t = bench.buffers.tensors();
  bench.write(bench.exact.out, bench.exact.lse);
  REQUIRE(bench.compared().passed);
  const std::int64_t place = row_offset(t.out, 1, 17, 2) + 5;
  store_element(t.out.data, place, t.out.dtype, 3.0F);
  Comparison wrong = bench.compared();
  check_rejected(wrong, "one value");
  CHECK(wrong.row == Row{.batch = 1, .query = 17, .head = 2});
  CHECK(wrong.column == 5);
  CHECK(wrong.value == 3.0);
  CHECK(wrong.sentence().find("batch 1 query 17 head 2 column 5 (3 instead of") != std::string::npos);

  store_element(t.out.data, place, t.out.dtype, std::numeric_limits<float>::quiet_NaN());
  wrong = bench.compared();
  check_rejected(wrong, "NaN");
  CHECK(std::isinf(wrong.worst_ratio));
  CHECK(wrong.column == 5);

  bench.write(bench.exact.out, bench.exact.lse);
  t.lse.data[7] += 1e-3F;
  wrong = bench.compared();
  check_rejected(wrong, "LSE");
  CHECK(wrong.check == BoundCheck::lse);
  CHECK(wrong.row == Row{.batch = 0, .query = 7, .head = 0});
  CHECK(wrong.column == -1);
}

TEST_CASE("an error that drowns in the whole tensor shows in its block") {
  // RMSE over everything stays small when one block in thirty is bad.
  Bench bench(problem_of("bf16", "heads=2 head_dim=64 seq=1000/40"));
  bench.write(bench.naive.out, bench.naive.lse);
  const AttentionTensors& t = bench.buffers.tensors();
  for (std::int64_t row = 128; row < 192; ++row) {
    for (std::int64_t c = 0; c < 64; ++c) {
      const std::int64_t at = row_offset(t.out, 0, row, 0) + c;
      const double exact = bench.exact.out[static_cast<std::size_t>(row * 64 + c)];
      store_element(t.out.data, at, t.out.dtype, static_cast<float>(exact + 2.5e-3 * ((c & 1) != 0 ? 1 : -1)));
    }
  }
  check_rejected(bench.compared(), "a bad block");
  CHECK(bench.compared().check == BoundCheck::rmse);
}

TEST_CASE("places whose exact value is not finite must not look finite") {
  Bench bench(problem_of("f32", "heads=1 head_dim=4 seq=3/5"));
  store_element(bench.buffers.tensors().q.data, 0, Dtype::f32, std::numeric_limits<float>::quiet_NaN());
  bench.exact = exact_attention(bench.problem, bench.buffers.tensors(), bench.rows, inline_executor());
  bench.naive = naive_attention(bench.problem, bench.buffers.tensors(), bench.rows, inline_executor());
  bench.write(bench.exact.out, bench.exact.lse);
  CHECK(bench.compared().passed);
  store_element(bench.buffers.tensors().out.data, 0, Dtype::f32, 0.0F);
  check_rejected(bench.compared(), "a NaN row that reads 0");
}

TEST_CASE("a bound that overflows accepts no NaN") {
  Problem problem = problem_of("f32", "heads=1 head_dim=4 seq=3/5");
  problem.scale = 1e300;  // no kernel is asked for it, but the bound is
  Bench bench(problem);
  const AttentionTensors& t = bench.buffers.tensors();
  for (std::int64_t at = 0; at < 20; ++at)
    store_element(t.v.data, at, Dtype::f32, 1e30F);
  bench.exact = exact_attention(problem, t, bench.rows, inline_executor());
  bench.naive = naive_attention(problem, t, bench.rows, inline_executor());
  bench.write(bench.exact.out, bench.exact.lse);
  CHECK(bench.compared().passed);
  store_element(t.out.data, 0, Dtype::f32, std::numeric_limits<float>::quiet_NaN());
  check_rejected(bench.compared(), "NaN where the bound is infinite");
}

TEST_CASE("ulp is the distance to the next value") {
  CHECK(ulp(Dtype::f32, 1.0) == 0x1p-23);
  CHECK(ulp(Dtype::f16, 1.5) == 0x1p-10);
  CHECK(ulp(Dtype::bf16, 2.0) == 0x1p-6);
  CHECK(ulp(Dtype::e4m3, 448.0) == 32.0);
  CHECK(ulp(Dtype::e5m2, 0.0) == 0x1p-16);
  CHECK(ulp(Dtype::f16, 0.0) == 0x1p-24);
}

TEST_CASE("fp8's LSE constants cover what 14-bit sums lose") {
  double worst = 0;
  for (const char* const dtype : {"e4m3", "e5m2"}) {
    for (const Probe& probe : probe_set(problem_of(dtype, "heads=2 head_dim=128 seq=64 outputs=out,lse"))) {
      Bench bench(probe.problem, probe.seed, probe.values);
      const ErrorBound& bound = error_bound(bench.problem);
      double largest = 0;
      for (const double score : bench.exact.max_abs_score)
        largest = std::max(largest, score);
      for (std::size_t r = 0; r < bench.rows.size(); ++r) {
        if (std::isinf(bench.exact.lse[r]))
          continue;
        const double error = std::fabs(static_cast<double>(bench.naive.lse[r]) - bench.exact.lse[r]);
        worst = std::max(worst, error / (bound.lse_absolute + bound.lse_relative * (1 + largest)));
      }
    }
  }
  MESSAGE("largest fp8 LSE error of the naive twin / bound: ", worst);
  CHECK(worst < 0.9);
  CHECK(worst > 0.2);
}
