// No Store, no tuner: what Configs of forward_host reach of the FMA ceiling, and of a sweep that only reads K and V,
// measured in turns.
//
//   bench_micro [-t THREADS] PROBLEM [CONFIG...]    CONFIG as `attentune space` prints it, or "cost" for the ten points
//                                                   of lowest predicted cost
#include <cstdio>
#include <string>
#include <vector>

#include "tools/bench/host_call.h"

using namespace attentune;

namespace {

std::vector<Config> configs_of(const Problem& problem, const Arch& arch, const std::vector<std::string>& wanted) {
  const ForwardHost family;
  if (wanted.empty())
    return {family.default_config(problem, arch)};
  std::vector<Config> configs;
  for (const std::string& word : wanted) {
    if (word != "cost") {
      configs.push_back(parse_config(word));
      continue;
    }
    std::vector<std::pair<double, Config>> ranked;
    family.space(problem, arch).for_each([&](const Config& config) {
      if (config.word("grain") == "1" && config.word("split") == "1")
        ranked.emplace_back(family.resources(problem, arch, config).cost, config);
      return true;
    });
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t n = 0; n < std::min<std::size_t>(10, ranked.size()); ++n)
      configs.push_back(ranked[n].second);
  }
  return configs;
}

void measure(const Problem& problem, const Config& config, const Arch& arch, Executor& executor) {
  const bench::Clock clock(executor.workers());
  bench::Ceiling ceiling(arch, executor);
  bench::Call call(problem, config, arch, executor);
  const bench::Ratio share = bench::ratio_of(clock, [&] { call.run(); }, [&] { ceiling.run(); }, 1.0);
  const double scale = flops(problem) / ceiling.flops();
  std::printf("  %-96s %8.3f ms %6.1f GFLOP/s  %5.1f %% of the ceiling (90th percentile %.1f %%)  compiled in %.0f ms",
              to_text(config).c_str(), share.best_time * 1e3, flops(problem) / share.best_time / 1e9,
              100 * scale * share.median, 100 * scale * share.upper, call.compile_ms());
  if (config.word("pack") == "none") {
    bench::Sweep sweep(call.operands(), executor);
    const bench::Ratio reading = bench::ratio_of(clock, [&] { call.run(); }, [&] { sweep.run(); }, 1.0);
    std::printf("  %5.1f %% of a sweep", 100 * reading.median);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string> words(argv + 1, argv + argc);
    int threads = 1;
    if (words.size() >= 2 && words[0] == "-t") {
      threads = std::stoi(words[1]);
      words.erase(words.begin(), words.begin() + 2);
    }
    if (words.empty()) {
      std::fprintf(stderr, "usage: bench_micro [-t THREADS] PROBLEM [CONFIG...]\n");
      return 2;
    }
    const Arch arch = llvm_backend::host_arch();
    const auto pool = make_pool(threads);
    const Problem problem = parse_problem(words[0]);
    std::printf("%s\n", words[0].c_str());
    for (const Config& config : configs_of(problem, arch, {words.begin() + 1, words.end()}))
      measure(problem, config, arch, *pool);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
