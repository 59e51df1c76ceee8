#include "runtime/reference/reference.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "runtime/reference/naive.h"
#include "runtime/reference/random_tensors.h"
#include "tests/runtime/plain_attention.h"

using namespace attentune;

namespace {

const char* const odd_problems[] = {
    "dtype=f32 heads=1 head_dim=1 seq=1 outputs=out,lse",
    "dtype=f32 batch=2 heads=4/2 head_dim=17/5 seq=13/29 outputs=out,lse",
    "dtype=f32 heads=3/1 head_dim=33 seq=70/131 mask=causal() outputs=out,lse",
    "dtype=f32 heads=2 head_dim=16 seq=90/40 mask=causal() outputs=out,lse",
    "dtype=f16 heads=2 head_dim=24 seq=65 mask=window(7,3) outputs=out,lse",
    "dtype=bf16 heads=4/2 head_dim=40 seq=33/99 mask=causal()&(window(9,0)|sink(4)) score=softcap(3) outputs=out,lse",
    "dtype=f32 heads=4/2 head_dim=16 seq=21/21 mask=causal() sink_logit=yes outputs=out,lse",
    "dtype=f32 heads=2 head_dim=16 seq=30/9 mask=causal() sink_logit=yes outputs=out,lse",
    "dtype=f32 heads=2 head_dim=8 seq=3/0 outputs=out,lse",
    "dtype=f32 heads=2 head_dim=8 seq=5/7 scale=-0.3 outputs=out,lse",
};

// The reference's answer beside that of the plainest implementation, both of f32 outputs of plain.
void check_against_plain(CallBuffers& buffers, Executor& executor) {
  const Problem& problem = buffers.problem();
  const std::vector<Row> rows = all_rows(problem);
  const ExactRows exact = exact_attention(problem, buffers.tensors(), rows, executor);
  AttentionTensors tensors = buffers.tensors();
  Problem wide = problem;
  wide.out = Dtype::f32;
  CallBuffers results(wide);
  tensors.out = results.tensors().out;
  tensors.lse = results.tensors().lse;
  test::plain_attention(problem, tensors);
  const auto dim = static_cast<std::size_t>(problem.head_dim_v);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    const std::int64_t offset = row_offset(tensors.out, row.batch, row.query, row.head);
    for (std::size_t c = 0; c < dim; ++c) {
      const auto plain =
          static_cast<double>(load_element(tensors.out.data, offset + static_cast<std::int64_t>(c), Dtype::f32));
      REQUIRE(exact.out[r * dim + c] == doctest::Approx(plain).epsilon(1e-6));
    }
    const LseView& lse = tensors.lse;
    const float plain = lse.data[row.batch * lse.stride[0] + row.head * lse.stride[1] + row.query * lse.stride[2]];
    if (std::isinf(plain)) {
      REQUIRE(exact.lse[r] == static_cast<double>(plain));
    } else {
      REQUIRE(exact.lse[r] == doctest::Approx(static_cast<double>(plain)).epsilon(1e-6));
    }
  }
}

}  // namespace

TEST_CASE("the reference agrees with the plainest implementation") {
  const auto pool = make_pool(2);
  for (const char* const text : odd_problems) {
    for (const Values values : {Values::normal, Values::large, Values::negative, Values::rising, Values::counting}) {
      CAPTURE(text);
      CAPTURE(static_cast<int>(values));
      CallBuffers buffers(parse_problem(text), {.padded = values == Values::large});
      buffers.fill(7, values, *pool);
      check_against_plain(buffers, *pool);
    }
  }
}

TEST_CASE("the answer does not depend on the executor, nor on which other rows are asked") {
  const Problem problem =
      parse_problem("dtype=bf16 batch=2 heads=4/2 head_dim=40 seq=50/170 mask=causal() outputs=out,lse");
  CallBuffers buffers(problem);
  buffers.fill(1, Values::normal, inline_executor());
  const auto pool = make_pool(3);
  const std::vector<Row> all = all_rows(problem);
  const ExactRows whole = exact_attention(problem, buffers.tensors(), all, *pool);
  const NaiveRows naive = naive_attention(problem, buffers.tensors(), all, *pool);
  std::vector<Row> some;
  for (std::size_t at = 5; at < all.size(); at += 37)
    some.push_back(all[at]);
  const ExactRows exact_some = exact_attention(problem, buffers.tensors(), some, inline_executor());
  const NaiveRows naive_some = naive_attention(problem, buffers.tensors(), some, inline_executor());
  for (std::size_t r = 0; r < some.size(); ++r) {
    const std::size_t at = 5 + r * 37;
    CHECK(exact_some.lse[r] == whole.lse[at]);
    CHECK(exact_some.visible_keys[r] == whole.visible_keys[at]);
    CHECK(naive_some.lse[r] == naive.lse[at]);
    for (std::size_t c = 0; c < 40; ++c) {
      CHECK(exact_some.out[r * 40 + c] == whole.out[at * 40 + c]);
      CHECK(naive_some.out[r * 40 + c] == naive.out[at * 40 + c]);
    }
  }
}

TEST_CASE("rows that see nothing give zeros and minus infinity; a sink is then the whole denominator") {
  for (const bool sink : {false, true}) {
    Problem problem = parse_problem("dtype=f32 heads=1 head_dim=8 seq=4/2 mask=causal() outputs=out,lse");
    problem.sink_logit = sink;
    CallBuffers buffers(problem);
    buffers.fill(3, Values::normal, inline_executor());
    const ExactRows exact = exact_attention(problem, buffers.tensors(), all_rows(problem), inline_executor());
    CHECK(exact.visible_keys == std::vector<std::int64_t>{0, 0, 1, 2});
    for (std::size_t at = 0; at < 16; ++at)
      CHECK(exact.out[at] == 0);
    const double expected = sink ? static_cast<double>(buffers.tensors().sink_logit[0]) : -INFINITY;
    CHECK(exact.lse[0] == expected);
    CHECK(exact.lse[1] == expected);
  }
}

TEST_CASE("what the mask hides never contributes, and NaN reaches exactly the rows that see it") {
  const Problem problem = parse_problem("dtype=f32 heads=1 head_dim=4 seq=6 mask=causal()");
  CallBuffers buffers(problem);
  buffers.fill(3, Values::normal, inline_executor());
  const AttentionTensors& tensors = buffers.tensors();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  store_element(tensors.k.data, row_offset(tensors.k, 0, 3, 0), Dtype::f32, nan);
  store_element(tensors.v.data, row_offset(tensors.v, 0, 4, 0), Dtype::f32, nan);
  const ExactRows exact = exact_attention(problem, tensors, all_rows(problem), inline_executor());
  for (std::size_t row = 0; row < 6; ++row)
    CHECK(std::isnan(exact.out[row * 4]) == (row >= 3));
}

TEST_CASE("the naive twin is near the exact answer, and as far as its dtypes make it") {
  for (const char* const dtype : {"f32", "f16", "bf16", "e4m3", "e5m2"}) {
    CAPTURE(dtype);
    const Problem problem =
        parse_problem(std::string("dtype=") + dtype + " heads=2 head_dim=64 seq=40/200 outputs=out,lse");
    CallBuffers buffers(problem);
    buffers.fill(5, Values::normal, inline_executor());
    const std::vector<Row> rows = all_rows(problem);
    const ExactRows exact = exact_attention(problem, buffers.tensors(), rows, inline_executor());
    const NaiveRows naive = naive_attention(problem, buffers.tensors(), rows, inline_executor());
    double worst = 0;
    for (std::size_t at = 0; at < exact.out.size(); ++at) {
      worst = std::max(worst, std::fabs(static_cast<double>(naive.out[at]) - exact.out[at]));
    }
    const bool fp8 = is_fp8(problem.q);
    CHECK(worst > (problem.q == Dtype::f32 ? 1e-8 : problem.q == Dtype::f16 ? 1e-5 : 1e-4));
    CHECK(worst < (problem.q == Dtype::f32 ? 2e-6 : problem.q == Dtype::f16 ? 1e-3 : fp8 ? 1e-1 : 8e-3));
  }
}

TEST_CASE("P follows V, but 16-bit Q over fp8 KV keeps P in Q's dtype") {
  CHECK(dtype_of_p(parse_problem("dtype=e4m3 heads=1 head_dim=64 seq=1")) == Dtype::e4m3);
  CHECK(dtype_of_p(parse_problem("dtype=bf16 k=e4m3 v=e4m3 heads=1 head_dim=64 seq=1")) == Dtype::bf16);
  CHECK(dtype_of_p(parse_problem("dtype=f32 heads=1 head_dim=64 seq=1")) == Dtype::f32);
}
