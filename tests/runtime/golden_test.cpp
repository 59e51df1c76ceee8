// The reference against PyTorch in float64 (tools/compare_pytorch.py made the files).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>

#include "runtime/npy.h"
#include "runtime/reference/reference.h"

using namespace attentune;

namespace {

const std::string folder = ATTENTUNE_TEST_DATA "/golden/";

// float64 travels as raw bytes with one more dimension of 8.
std::vector<double> doubles(const std::string& path, std::int64_t count) {
  const NpyArray array = read_npy(path);
  REQUIRE(array.type == NpyType::u1);
  REQUIRE(array.shape.back() == 8);
  REQUIRE(std::ssize(array.bytes) == count * 8);
  std::vector<double> values(static_cast<std::size_t>(count));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

// Rows of the reference come by batch, head, query; PyTorch's output stands by batch, query, head.
void check_case(const std::string& number, const Problem& p) {
  NpyArray q = read_npy(folder + number + "_q.npy");
  NpyArray k = read_npy(folder + number + "_k.npy");
  NpyArray v = read_npy(folder + number + "_v.npy");
  require_npy(q, "q", p.q, std::vector{p.batch, p.len_q, p.heads_q, p.head_dim_qk});
  require_npy(k, "k", p.k, std::vector{p.batch, p.len_kv, p.heads_kv, p.head_dim_qk});
  require_npy(v, "v", p.v, std::vector{p.batch, p.len_kv, p.heads_kv, p.head_dim_v});
  AttentionTensors tensors = contiguous(p);
  tensors.q.data = q.bytes.data();
  tensors.k.data = k.bytes.data();
  tensors.v.data = v.bytes.data();
  NpyArray sink;
  if (p.sink_logit) {
    sink = read_npy(folder + number + "_sink.npy");
    require_npy(sink, "sink", Dtype::f32, std::vector{p.heads_q});
    tensors.sink_logit = reinterpret_cast<const float*>(sink.bytes.data());
  }
  const std::vector<double> out = doubles(folder + number + "_out.npy", elements_out(p));
  const std::vector<double> lse = doubles(folder + number + "_lse.npy", elements_lse(p));

  const std::vector<Row> rows = all_rows(p);
  const ExactRows exact = exact_attention(p, tensors, rows, inline_executor());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    const double theirs = lse[static_cast<std::size_t>((row.batch * p.heads_q + row.head) * p.len_q + row.query)];
    if (std::isinf(theirs)) {
      CHECK(exact.lse[r] == theirs);
    } else {
      CHECK(std::fabs(exact.lse[r] - theirs) <= 1e-12 * (1 + std::fabs(theirs)));
    }
    for (std::int64_t c = 0; c < p.head_dim_v; ++c) {
      const std::int64_t place = ((row.batch * p.len_q + row.query) * p.heads_q + row.head) * p.head_dim_v + c;
      const double ours = exact.out[r * static_cast<std::size_t>(p.head_dim_v) + static_cast<std::size_t>(c)];
      REQUIRE(std::fabs(ours - out[static_cast<std::size_t>(place)]) <= 1e-12);
    }
  }
}

}  // namespace

TEST_CASE("the reference agrees with PyTorch in float64") {
  std::ifstream manifest(folder + "manifest.txt");
  int cases = 0;
  for (std::string line; std::getline(manifest, line);) {
    if (line.starts_with("#"))
      continue;
    CAPTURE(line);
    check_case(line.substr(0, 2), parse_problem(line.substr(3)));
    ++cases;
  }
  CHECK(cases >= 20);
}
