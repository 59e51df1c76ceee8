// The figures of forward_host that are ratios of two things which take turns; default Configs. One line "value=...".
//
//   bench_host [-t THREADS] share PROBLEM        of the multiply-add ceiling
//   bench_host [-t THREADS] sweep PROBLEM        of a sweep that only reads K and V
//   bench_host [-t THREADS] ratio PROBLEM OTHER  time of PROBLEM over time of OTHER
//   bench_host [-t THREADS] tiles PROBLEM        time over (share of visible tiles * time without the mask)
//   bench_host compile PROBLEM                   milliseconds from text to callable, median; value_cpu: on this thread
//   bench_host [-t THREADS] defaults [SEQ]       default over the best of the likeliest Configs, all built-in workloads
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "generator/workloads.h"
#include "tools/bench/host_call.h"

using namespace attentune;

namespace {

struct Bench {
  Arch arch = llvm_backend::host_arch();
  std::unique_ptr<Executor> pool;
  bench::Clock clock;

  explicit Bench(int threads) : pool(make_pool(threads)), clock(threads) {}

  [[nodiscard]] bench::Call call(const Problem& problem, const std::optional<Config>& config = {}) const {
    return {problem, config ? *config : ForwardHost().default_config(problem, arch), arch, *pool};
  }

  [[nodiscard]] double share(const Problem& problem) const {
    bench::Call ours = call(problem);
    bench::Ceiling ceiling(arch, *pool);
    return flops(problem) / ceiling.flops() *
           bench::ratio_of(clock, [&] { ours.run(); }, [&] { ceiling.run(); }, 2.0).median;
  }

  [[nodiscard]] double sweep(const Problem& problem) const {
    bench::Call ours = call(problem);
    bench::Sweep sweep(ours.operands(), *pool);
    return bench::ratio_of(clock, [&] { ours.run(); }, [&] { sweep.run(); }, 2.0).median;
  }

  [[nodiscard]] double ratio(const Problem& problem, const Problem& other) const {
    bench::Call a = call(problem);
    bench::Call b = call(other);
    return 1 / bench::ratio_of(clock, [&] { a.run(); }, [&] { b.run(); }, 3.0).median;
  }

  // Tiles of the default Config that the mask does not empty, over all of them.
  [[nodiscard]] double visible_tiles(const Problem& p) const {
    const Config config = ForwardHost().default_config(p, arch);
    const std::int64_t tile_m = config.integer("tile_m");
    const std::int64_t tile_n = config.integer("tile_n");
    double seen = 0;
    double all = 0;
    for (std::int64_t row = 0; row < p.len_q * p.group(); row += tile_m) {
      const Interval i{.first = row / p.group(), .last = (std::min(row + tile_m, p.len_q * p.group()) - 1) / p.group()};
      for (std::int64_t key = 0; key < p.len_kv; key += tile_n) {
        const Interval j{.first = key, .last = std::min(key + tile_n, p.len_kv) - 1};
        seen += classify(p.mask, i, j, p.shift()) == TileClass::empty ? 0 : 1;
        all += 1;
      }
    }
    return seen / all;
  }

  [[nodiscard]] double tiles(const Problem& problem) const {
    Problem dense = problem;
    dense.mask = Mask();
    return ratio(problem, dense) / visible_tiles(problem);
  }

  void compile(const Problem& problem) const {
    const ForwardHost family;
    const bench::Clock wall(2);
    const bench::Clock thread(1);
    std::vector<double> times;
    std::vector<double> own;
    for (int n = 0; n < 15; ++n) {
      const double begin = wall.seconds();
      own.push_back(thread.time([&] {
        const Source source = family.render(problem, arch, family.default_config(problem, arch));
        const auto object = llvm_backend::load(llvm_backend::compile(source, arch).object);
        (void)object->entry("attentune_forward");
      }));
      times.push_back(wall.seconds() - begin);
    }
    std::sort(times.begin(), times.end());
    std::sort(own.begin(), own.end());
    std::printf("value=%.1f value_cpu=%.1f\n", times[7] * 1e3, own[7] * 1e3);
  }

  // The default and the eight points of lowest predicted cost, in turns.
  void defaults(std::int64_t seq) const {
    const ForwardHost family;
    double logs = 0;
    double worst = 0;
    int count = 0;
    for (const Workload& workload : workloads()) {
      const std::string name =
          std::string(workload.model) + (workload.layer.empty() ? "" : "." + std::string(workload.layer));
      for (const NamedProblem& named : workload_problems(name, seq, std::nullopt)) {
        if (family.refusal(named.problem, arch))
          continue;
        const double times = default_over_best(named.problem);
        std::printf("%-40s %.3f\n", named.name.c_str(), times);
        std::fflush(stdout);
        logs += std::log(times);
        worst = std::max(worst, times);
        ++count;
      }
    }
    std::printf("count=%d geomean=%.3f value=%.3f\n", count, std::exp(logs / count), worst);
  }

 private:
  [[nodiscard]] double default_over_best(const Problem& problem) const {
    const ForwardHost family;
    std::vector<std::pair<double, Config>> ranked;
    family.space(problem, arch).for_each([&](const Config& config) {
      if (config.word("grain") == "1")
        ranked.emplace_back(family.resources(problem, arch, config).cost, config);
      return true;
    });
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    bench::Call standard = call(problem);
    double best = 1;
    for (std::size_t n = 0; n < std::min<std::size_t>(8, ranked.size()); ++n) {
      bench::Call other = call(problem, ranked[n].second);
      best = std::max(best, bench::ratio_of(clock, [&] { other.run(); }, [&] { standard.run(); }, 0.3).median);
    }
    return best;
  }
};

int run(const std::vector<std::string>& words, int threads) {
  const std::string mode = words.empty() ? "" : words[0];
  const std::size_t wanted = mode == "defaults" ? 1 : mode == "ratio" ? 3 : 2;
  if (words.size() < wanted)
    throw Error(Status::misuse, "what to measure? The head of tools/bench/host.cpp lists it: share PROBLEM, ...");
  const Bench bench(threads);
  if (mode == "defaults") {
    bench.defaults(words.size() > 1 ? std::stoll(words[1]) : 4096);
    return 0;
  }
  const Problem problem = parse_problem(words[1]);
  if (mode == "compile") {
    bench.compile(problem);
    return 0;
  }
  const double value = mode == "share"   ? bench.share(problem)
                       : mode == "sweep" ? bench.sweep(problem)
                       : mode == "tiles" ? bench.tiles(problem)
                       : mode == "ratio" ? bench.ratio(problem, parse_problem(words[2]))
                                         : throw Error(Status::misuse, mode + " is no figure");
  std::printf("value=%.4f\n", value);
  return 0;
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
    return run(words, threads);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_host: %s\n", error.what());
    return 1;
  }
}
