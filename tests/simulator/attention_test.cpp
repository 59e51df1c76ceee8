// A whole kernel as nvcc writes it (data/attention.cu): right under every seed in both modes, and stopped by name when
// a step of its pipeline is taken out.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/simulator/execution/random.h"
#include "runtime/simulator/ptx/module.h"
#include "tests/simulator/run.h"

using namespace attentune;
using namespace attentune::simulator;

namespace {

constexpr int dim = 64;
constexpr int rows = 70;
constexpr int keys = 170;
constexpr std::uint32_t shared_bytes = (32 + 3 * 32) * dim * 2;

using Bf16 = std::uint16_t;

float value(Bf16 bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

const std::string& kernel_text() {
  static const std::string text = [] {
    std::ifstream file(ATTENTUNE_TEST_DATA "/attention.ptx");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  return text;
}

struct Tensors {
  std::vector<Bf16> q = random(rows, 1);
  std::vector<Bf16> k = random(keys, 2);
  std::vector<Bf16> v = random(keys, 3);
  std::vector<Bf16> out = std::vector<Bf16>(rows * dim);

  // In [-2, 2): truncated, which is a bf16 number too.
  static std::vector<Bf16> random(int count, std::uint64_t seed) {
    Random source(seed);
    std::vector<Bf16> result(static_cast<std::size_t>(count) * dim);
    for (Bf16& one : result) {
      const float x = static_cast<float>(source.below(1U << 16)) / 16384.0F - 2.0F;
      one = static_cast<Bf16>(std::bit_cast<std::uint32_t>(x) >> 16);
    }
    return result;
  }
};

Report run(const std::string& text, Tensors& tensors, const Options& options, int claimed_rows = rows) {
  Simulator simulator(ptx::parse(text), options);
  simulator.register_buffer(tensors.q.data(), tensors.q.size() * 2, "q", BufferAccess::read);
  simulator.register_buffer(tensors.k.data(), tensors.k.size() * 2, "k", BufferAccess::read);
  simulator.register_buffer(tensors.v.data(), tensors.v.size() * 2, "v", BufferAccess::read);
  simulator.register_buffer(tensors.out.data(), tensors.out.size() * 2, "out", BufferAccess::scratch);
  const float scale = std::log2(std::exp(1.0F)) / std::sqrt(static_cast<float>(dim));
  const Parameters parameters = Parameters() << tensors.q.data() << tensors.k.data() << tensors.v.data()
                                             << tensors.out.data() << claimed_rows << keys << scale;
  return simulator.run("attention",
                       {.grid = {.x = (rows + 31) / 32}, .block = {.x = 64}, .dynamic_shared_bytes = shared_bytes},
                       parameters.bytes());
}

double worst_error(const Tensors& tensors) {
  double worst = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> p(keys);
    double sum = 0;
    for (std::size_t j = 0; j < keys; ++j) {
      double score = 0;
      for (std::size_t d = 0; d < dim; ++d)
        score += static_cast<double>(value(tensors.q[i * dim + d])) * value(tensors.k[j * dim + d]);
      p[j] = std::exp(score / std::sqrt(static_cast<double>(dim)));
      sum += p[j];
    }
    for (std::size_t d = 0; d < dim; ++d) {
      double exact = 0;
      for (std::size_t j = 0; j < keys; ++j)
        exact += p[j] / sum * value(tensors.v[j * dim + d]);
      worst = std::max(worst, std::fabs(exact - value(tensors.out[i * dim + d])));
    }
  }
  return worst;
}

// The text with the n-th `what` replaced.
std::string mutated(const std::string& what, int n, const std::string& with) {
  std::string text = kernel_text();
  std::size_t at = text.find(what);
  for (int i = 0; i < n && at != std::string::npos; ++i)
    at = text.find(what, at + 1);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("an attention kernel gives the same, right result under every seed and in both modes") {
  for (const Asynchrony mode : {Asynchrony::eager, Asynchrony::lazy}) {
    for (const std::uint64_t seed : {0U, 1U, 2U, 3U, 4U, 5U}) {
      Tensors tensors;
      const Report report = run(kernel_text(), tensors, {.seed = seed, .asynchrony = mode, .strict = true});
      // |O| <= 2; P and O are rounded to 8 bits.
      CHECK(worst_error(tensors) < 0.01);
      // nvcc keeps ways for other trip counts of the copy loops, and one for no key at all.
      CHECK(report.coverage.unentered.size() == 12);
      CHECK(report.counts.shared_conflict_cycles == 0);
      // 3 blocks of 2 warps, 6 tiles of 32 keys: Q K^T 4 x 4 and P V 2 x 8 instructions a tile.
      CHECK(report.counts.of(Category::mma) == 3 * 2 * 6 * (4 * 4 + 2 * 8));
      // Rows and keys past the end are not read.
      CHECK(report.counts.of(Space::global) ==
            Traffic{.read = (rows + 3 * 2 * keys) * dim * 2, .written = rows * dim * 2});
    }
  }
}

TEST_CASE("each barrier, wait and commit of the pipeline is needed, and its absence seen") {
  struct Mutation {
    const char* what;
    int n;
    const char* with;
  };
  const std::vector<Mutation> mutations{
      {"bar.sync \t0;", 0, ""},
      {"bar.sync \t0;", 1, ""},
      {"bar.sync \t0;", 2, ""},
      {"cp.async.wait_group 1;", 0, ""},
      {"cp.async.wait_group 1;", 1, ""},
      {"cp.async.wait_group 1;", 0, "cp.async.wait_group 2;"},
      {"cp.async.wait_group 1;", 1, "cp.async.wait_group 2;"},
      {"cp.async.commit_group;", 1, ""},
      {"cp.async.commit_group;", 2, ""},
  };
  for (const Mutation& mutation : mutations) {
    CAPTURE(mutation.what);
    CAPTURE(mutation.n);
    const std::string text = mutated(mutation.what, mutation.n, mutation.with);
    for (const Asynchrony mode : {Asynchrony::eager, Asynchrony::lazy}) {
      Tensors tensors;
      const std::string fault = fault_of([&] { run(text, tensors, {.seed = 7, .asynchrony = mode}); });
      CAPTURE(fault);
      const bool seen = fault.starts_with("race: ") || fault.starts_with("uninitialized memory: ");
      CHECK(seen);
      CHECK(fault.find("attention.cu:") != std::string::npos);
    }
  }
}

TEST_CASE("a store one row past the end names the buffer and the source line") {
  Tensors tensors;
  const std::string fault = fault_of([&] { run(kernel_text(), tensors, {}, rows + 1); });
  CAPTURE(fault);
  CHECK(fault.starts_with("out of bounds: "));
  CHECK(fault.find("past the end of") != std::string::npos);
  CHECK(fault.find("attention.cu:") != std::string::npos);
}
