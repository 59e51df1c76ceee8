#include "runtime/reference/random_tensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtime/reference/random_values.h"
#include "runtime/reference/row_groups.h"

using namespace attentune;

namespace {

const char* const text = "dtype=bf16 batch=2 heads=4/2 head_dim=24/16 seq=5/7 outputs=out,lse sink_logit=yes";

std::vector<float> values_of(const Problem& p, const TensorView& view, std::int64_t length, std::int64_t heads,
                             std::int64_t dim) {
  std::vector<float> values;
  std::vector<float> row(static_cast<std::size_t>(dim));
  for (std::int64_t b = 0; b < p.batch; ++b) {
    for (std::int64_t i = 0; i < length; ++i) {
      for (std::int64_t h = 0; h < heads; ++h) {
        load_row(view, b, i, h, dim, row.data());
        values.insert(values.end(), row.begin(), row.end());
      }
    }
  }
  return values;
}

void write_outputs(const CallBuffers& buffers) {
  const Problem& p = buffers.problem();
  const AttentionTensors& t = buffers.tensors();
  for (const Row& row : all_rows(p)) {
    for (std::int64_t c = 0; c < p.head_dim_v; ++c) {
      store_element(t.out.data, row_offset(t.out, row.batch, row.query, row.head) + c, t.out.dtype, 1.0F);
    }
    t.lse.data[row.batch * t.lse.stride[0] + row.head * t.lse.stride[1] + row.query * t.lse.stride[2]] = 2.0F;
  }
}

}  // namespace

TEST_CASE("values depend on seed and logical place alone") {
  const Problem p = parse_problem(text);
  const auto pool = make_pool(3);
  CallBuffers plain(p);
  CallBuffers padded(p, {.padded = true, .least_aligned = true});
  plain.fill(42, Values::normal, inline_executor());
  padded.fill(42, Values::normal, *pool);
  CHECK(values_of(p, plain.tensors().q, 5, 4, 24) == values_of(p, padded.tensors().q, 5, 4, 24));
  CHECK(values_of(p, plain.tensors().k, 7, 2, 24) == values_of(p, padded.tensors().k, 7, 2, 24));
  CHECK(values_of(p, plain.tensors().v, 7, 2, 16) == values_of(p, padded.tensors().v, 7, 2, 16));
  const std::vector<float> before = values_of(p, plain.tensors().q, 5, 4, 24);
  plain.fill(43, Values::normal, inline_executor());
  CHECK(before != values_of(p, plain.tensors().q, 5, 4, 24));
}

TEST_CASE("random_normal looks normal") {
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  double product = 0;
  constexpr int count = 200000;
  for (std::uint64_t n = 0; n < count; ++n) {
    const double x = random_normal(9, 1, n);
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    product += x * random_normal(9, 1, n + 1);
  }
  CHECK(std::fabs(sum / count) < 0.01);
  CHECK(squares / count == doctest::Approx(1.0).epsilon(0.02));
  CHECK(fourth / count == doctest::Approx(3.0).epsilon(0.05));
  CHECK(std::fabs(product / count) < 0.01);
}

TEST_CASE("outputs begin as NaN and stay guarded") {
  const Problem p = parse_problem(text);
  for (const bool padded : {false, true}) {
    for (const bool pages : {false, true}) {
      CAPTURE(padded);
      CAPTURE(pages);
      CallBuffers buffers(p, {.padded = padded, .guard_pages = pages});
      buffers.fill(1, Values::normal, inline_executor());
      CHECK(buffers.first_nan() == "out at batch 0 query 0 head 0 column 0");
      write_outputs(buffers);
      CHECK(buffers.first_nan().empty());
      CHECK(buffers.guard_damage().empty());
      buffers.poison();
      CHECK_FALSE(buffers.first_nan().empty());
      CHECK(buffers.guards_intact());
    }
  }
}

TEST_CASE("a write outside is named") {
  const Problem p = parse_problem(text);
  CallBuffers buffers(p, {.padded = true});
  const AttentionTensors& t = buffers.tensors();
  auto* const out = static_cast<std::uint8_t*>(t.out.data);
  out[-1] = 0;
  CHECK(buffers.guard_damage() == "out, 1 bytes before its start");
  out[-1] = 0xFF;
  out[16 * 2] = 0;  // behind the first head's 16 values
  CHECK(buffers.guard_damage() == "out, byte 32 in the padding between its rows");
  out[16 * 2] = 0xFF;
  const std::int64_t last = row_offset(t.out, 1, 4, 3) + 16;
  std::memset(out + last * 2, 0, 4);
  CHECK(buffers.guard_damage() == "out, 4 bytes behind its end");
  std::memset(out + last * 2, 0xFF, 4);
  t.lse.data[5] = 0;
  CHECK(buffers.guard_damage() == "lse, byte 20 in the padding between its rows");
}

TEST_CASE("rows stand at multiples of the promised alignment, least aligned ones at no more") {
  for (const int alignment : {16, 8, 4}) {
    Problem p = parse_problem("dtype=f32 heads=3 head_dim=7/5 seq=4");
    p.alignment = alignment;
    const CallBuffers buffers(p, {.least_aligned = true});
    const auto address = reinterpret_cast<std::uintptr_t>(buffers.tensors().k.data);
    CHECK(address % static_cast<std::uintptr_t>(alignment) == 0);
    CHECK(address % static_cast<std::uintptr_t>(2 * alignment) != 0);
    for (const std::int64_t stride : buffers.tensors().k.stride)
      CHECK(stride * 4 % alignment == 0);
  }
}

TEST_CASE("counting values: zero queries, one-hot values, sinks at zero") {
  const Problem p = parse_problem(text);
  CallBuffers buffers(p);
  buffers.fill(1, Values::counting, inline_executor());
  for (const float value : values_of(p, buffers.tensors().q, 5, 4, 24))
    CHECK(value == 0.0F);
  const std::vector<float> v = values_of(p, buffers.tensors().v, 7, 2, 16);
  for (std::size_t at = 0; at < v.size(); ++at)
    CHECK(v[at] == (at / 32 % 7 == at % 16 ? 1.0F : 0.0F));
  CHECK(buffers.tensors().sink_logit[3] == 0.0F);
}

TEST_CASE("a workspace is aligned, guarded garbage") {
  Workspace workspace(1000);
  CHECK(reinterpret_cast<std::uintptr_t>(workspace.data()) % 64 == 0);
  auto* const bytes = static_cast<std::uint8_t*>(workspace.data());
  CHECK(bytes[0] == 0xFF);
  bytes[999] = 1;
  CHECK(workspace.guard_damage().empty());
  bytes[1000] = 1;
  CHECK(workspace.guard_damage() == "workspace, 1 bytes behind its end");
  Workspace nothing(0);
  CHECK(nothing.guard_damage().empty());
}
