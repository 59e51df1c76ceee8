// What a hit of Runtime::kernel costs: median and 99th percentile over batches, for classes without and with windows.
// usage: bench_lookup
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "runtime/runtime.h"

namespace {

constexpr int batches = 400;
constexpr int lookups = 2000;

// Nanoseconds a lookup, the mean of each batch, sorted.
std::vector<double> measure(attentune::Runtime& runtime, std::vector<attentune::Problem>& problems) {
  std::vector<double> nanoseconds;
  const attentune::Variant* volatile seen = nullptr;
  for (int batch = 0; batch < batches; ++batch) {
    const auto begin = std::chrono::steady_clock::now();
    for (int n = 0; n < lookups; ++n) {
      seen = &runtime.kernel(problems[static_cast<std::size_t>(n) % problems.size()]);
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    nanoseconds.push_back(took.count() / lookups);
  }
  static_cast<void>(seen);
  std::ranges::sort(nanoseconds);
  return nanoseconds;
}

}  // namespace

int main() try {
  attentune::Runtime runtime(attentune::open_device("host", {.threads = 1}), nullptr, {});
  double worst_median = 0;
  for (const char* const line : {"dtype=f32 heads=32/8 head_dim=128 seq=4096 mask=causal()",
                                 "dtype=f32 heads=32/8 head_dim=128 seq=4096 mask=causal()&(window(1023,0)|sink(4))"}) {
    std::vector<attentune::Problem> problems;
    for (std::int64_t len = 1; len <= 4096; len = len * 2 + 1) {
      problems.push_back(attentune::parse_problem(line));
      problems.back().len_kv = len;
    }
    for (const attentune::Problem& problem : problems) {
      static_cast<void>(runtime.kernel(problem));
    }
    const std::vector<double> sorted = measure(runtime, problems);
    const double median = sorted[sorted.size() / 2];
    worst_median = std::max(worst_median, median);
    std::printf("%-90s median %6.1f ns, p99 %6.1f ns\n", line, median, sorted[sorted.size() * 99 / 100]);
  }
  std::printf("lookup_ns=%.1f target_ns=200\n", worst_median);
  return worst_median <= 200 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_lookup: %s\n", error.what());
  return 1;
}
