#include "runtime/reference/verify.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "runtime/reference/reference.h"
#include "runtime/reference/row_groups.h"

using namespace attentune;

namespace {

// A kernel that is right, made of the reference; `warp` may spoil the problem it computes, `after` what it wrote.
struct FakeKernel {
  std::function<void(Problem&)> warp{};
  std::function<void(const Problem&, const AttentionTensors&)> after{};
  int calls = 0;

  RunKernel callable() {
    return [this](const Problem& given, const AttentionTensors& tensors) {
      ++calls;
      Problem problem = given;
      if (warp)
        warp(problem);
      const std::vector<Row> rows = all_rows(problem);
      const ExactRows exact = exact_attention(problem, tensors, rows, inline_executor());
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const std::int64_t offset = row_offset(tensors.out, rows[r].batch, rows[r].query, rows[r].head);
        for (std::int64_t c = 0; c < problem.head_dim_v; ++c) {
          const std::size_t at = r * static_cast<std::size_t>(problem.head_dim_v) + static_cast<std::size_t>(c);
          store_element(tensors.out.data, offset + c, tensors.out.dtype, static_cast<float>(exact.out[at]));
        }
        if (tensors.lse.data == nullptr)
          continue;
        const LseView& lse = tensors.lse;
        lse.data[rows[r].batch * lse.stride[0] + rows[r].head * lse.stride[1] + rows[r].query * lse.stride[2]] =
            static_cast<float>(exact.lse[r]);
      }
      if (after)
        after(given, tensors);
    };
  }
};

Problem small() {
  return parse_problem("dtype=bf16 heads=4/2 head_dim=16 seq=100/150 mask=causal()&window(50,0) outputs=out,lse");
}

// Wrong in the way given; the verdict must say so in these words.
void check_fails(FakeKernel kernel, const std::string& words, const Problem& problem = small()) {
  Verifier verifier(inline_executor());
  const Verdict verdict = verifier.verify(problem, kernel.callable());
  CAPTURE(verdict.sentence);
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.worst_ratio > 1);
  CHECK(verdict.sentence.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("a right kernel passes, and references are computed once") {
  const auto pool = make_pool(2);
  Verifier verifier(*pool);
  FakeKernel kernel;
  for (int round = 0; round < 2; ++round) {
    const Verdict verdict = verifier.verify(small(), kernel.callable());
    CAPTURE(verdict.sentence);
    CHECK(verdict.passed);
    CHECK(verdict.sentence.empty());
    CHECK(verdict.worst_ratio > 0);
    CHECK(verdict.worst_ratio <= 1);
  }
  CHECK(&verifier.buffers(small()) == &verifier.buffers(small()));
  CHECK(verifier.buffers(small()).guards_intact());
}

TEST_CASE("sinks, softcaps and missing LSE pass too") {
  Verifier verifier(inline_executor());
  for (const char* const text : {"dtype=f32 heads=2 head_dim=16 seq=20 sink_logit=yes outputs=out,lse",
                                 "dtype=f16 heads=2 head_dim=16 seq=20 score=softcap(5) mask=window(3,3)|sink(2)"}) {
    FakeKernel kernel;
    const Verdict verdict = verifier.verify(parse_problem(text), kernel.callable());
    CAPTURE(verdict.sentence);
    CHECK(verdict.passed);
  }
}

TEST_CASE("a wrong kernel fails with its place") {
  check_fails({.warp = [](Problem& p) { p.mask = parse_mask("window(50,0)"); }}, "");
  check_fails({.warp = [](Problem& p) { ++p.mask.arguments[0]; }}, "");
  check_fails({.warp = [](Problem& p) { p.scale = 0.3; }}, "bound");
  check_fails({.after =
                   [](const Problem& p, const AttentionTensors& t) {
                     if (p.len_q > 0)
                       store_element(t.out.data, 0, t.out.dtype, 1e3F);
                   }},
              "batch 0 query 0 head 0 column 0");
}

TEST_CASE("a write outside and a place left out are told from a wrong value") {
  check_fails({.after =
                   [](const Problem& p, const AttentionTensors& t) {
                     static_cast<char*>(t.out.data)[static_cast<std::int64_t>(size_of(p.out)) * -1] = 0;
                   }},
              "outside its tensors: out, 1 bytes before its start");
  check_fails({.after =
                   [](const Problem& p, const AttentionTensors& t) {
                     if (p.len_q > 0)
                       store_element(t.out.data, 3, t.out.dtype, std::nanf(""));
                   }},
              "left a place unwritten or wrote NaN: out at batch 0 query 0 head 0 column 3");
}

TEST_CASE("the visibility probe sees one key too many where the bound would not") {
  // With Q = 0 the count is exact however long the row.
  const Problem problem = parse_problem("dtype=bf16 heads=2 head_dim=16 seq=100 mask=window(50,0) outputs=out,lse");
  FakeKernel kernel{.warp = [](Problem& p) {
    if (p.len_kv > 2000)
      ++p.mask.arguments[0];
  }};
  check_fails(kernel, "", problem);
}

TEST_CASE("an exception of the kernel passes through") {
  Verifier verifier(inline_executor());
  CHECK_THROWS_AS((void)verifier.verify(small(), [](const Problem&, const AttentionTensors&) { throw 7; }), int);
}

TEST_CASE("check_result judges a finished call") {
  const Problem problem = small();
  CallBuffers buffers(problem);
  buffers.fill(9, Values::normal, inline_executor());
  FakeKernel kernel;
  kernel.callable()(problem, buffers.tensors());
  CHECK(check_result(problem, buffers.tensors(), inline_executor(), 1e9).passed);
  store_element(buffers.tensors().out.data, 5, problem.out, 7.0F);
  const Verdict verdict = check_result(problem, buffers.tensors(), inline_executor(), 1e9);
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.sentence.find("column 5") != std::string::npos);
}
