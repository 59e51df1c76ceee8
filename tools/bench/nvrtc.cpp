// From text to cubin by NVRTC: the default Config of every built-in workload, for every GPU Arch and family that serves
// it, a Source after the other on one core; nvcc on the same Sources beside it.
//
//   bench_nvrtc [--arch ARCH] [--no-nvcc]
//
// Seconds of processor time of this process (nvcc: of its children), so that they hold on a busy machine; wall time in
// parentheses. Exits 1 over a target.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "generator/default_kernels.h"
#include "generator/error.h"
#include "generator/kernel_family.h"
#include "runtime/cuda/compiler.h"
#include "runtime/search_path.h"
#include "runtime/settings.h"
#include "tuner/time_stats.h"

namespace {

using namespace attentune;

struct Target {
  std::string_view family;
  double median_s;
  double worst_s;  // 0: none stated
};
constexpr Target targets[]{{"forward_mma", 0.40, 1.2}, {"forward_wgmma", 0.70, 0}};

struct Seconds {
  double cpu = 0;
  double wall = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double seconds_of(const clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Children count when they have ended and were waited for.
double cpu_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Seconds timed(const std::function<double()>& cpu, const std::function<void()>& work) {
  const double wall_begin = seconds_of(CLOCK_MONOTONIC);
  const double cpu_begin = cpu();
  work();
  return {.cpu = cpu() - cpu_begin, .wall = seconds_of(CLOCK_MONOTONIC) - wall_begin};
}

Seconds compile(const cuda::CudaCompiler& compiler, const Source& source) {
  return timed([] { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); },
               [&] { static_cast<void>(compiler.compile(source)); });
}

Source empty_kernel() { return {.language = Language::cuda, .text = "__global__ void empty() {}", .launches = {}}; }

class Nvcc {
 public:
  explicit Nvcc(std::string program)
      : program_(std::move(program)),
        folder_(std::filesystem::temp_directory_path() / fmt::format("attentune-nvcc-{}", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Nvcc() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Nvcc(const Nvcc&) = delete;
  Nvcc& operator=(const Nvcc&) = delete;

  [[nodiscard]] Seconds compile(const Source& source, const Arch& arch) const {
    const std::string text = (folder_ / "kernel.cu").string();
    std::ofstream(text) << source.text;
    const std::string line =
        fmt::format("'{}' -cubin -std=c++20 -arch={} '{}' -o '{}.cubin'", program_, arch.name, text, text);
    return timed(cpu_of_children, [&] {
      if (std::system(line.c_str()) != 0)
        throw Error(Status::compile_failed, "this failed: " + line);
    });
  }

 private:
  std::string program_;
  std::filesystem::path folder_;
};

struct Column {
  std::vector<double> cpu, wall;
  double worst_cpu = 0;
  std::string worst;

  void add(const Seconds& took, const std::string& name) {
    cpu.push_back(took.cpu);
    wall.push_back(took.wall);
    if (took.cpu > worst_cpu) {
      worst_cpu = took.cpu;
      worst = name;
    }
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("{:.2f} ({:.2f}) {:.2f}", median(cpu), median(wall), worst_cpu);
  }
};

// Of one family over all Archs.
struct Total {
  std::string_view family;
  Column nvrtc, nvcc;
};

void measure(const KernelFamily& family, const Arch& arch, const cuda::CudaCompiler& compiler, const Nvcc* const nvcc,
             Total& total) {
  Column by_nvrtc;
  Column by_nvcc;
  const std::vector<DefaultKernel> kernels = default_kernels(family, arch);
  for (const auto& [named, config, source] : kernels) {
    const std::string name = fmt::format("{} {}", arch.name, named.name);
    const Seconds took = compile(compiler, source);
    by_nvrtc.add(took, named.name);
    total.nvrtc.add(took, name);
    if (nvcc != nullptr) {
      const Seconds beside = nvcc->compile(source, arch);
      by_nvcc.add(beside, named.name);
      total.nvcc.add(beside, name);
    }
  }
  if (kernels.empty())
    return;
  fmt::print("{:<9} {:<14} {:>7}  {:<18} {:<18} {}\n", arch.name, family.name(), kernels.size(), by_nvrtc.text(),
             nvcc != nullptr ? by_nvcc.text() : "-", by_nvrtc.worst);
  std::fflush(stdout);
}

bool report(const Total& total, const Target& target) {
  if (total.nvrtc.cpu.empty())
    return true;
  const double middle = median(total.nvrtc.cpu);
  fmt::print("{0}: {1} Sources, {0}_median_s={2:.3f} (target {3:.2f}), {0}_worst_s={4:.3f}{5}: {6}", total.family,
             total.nvrtc.cpu.size(), middle, target.median_s, total.nvrtc.worst_cpu,
             target.worst_s > 0 ? fmt::format(" (target {:.1f})", target.worst_s) : "", total.nvrtc.worst);
  if (!total.nvcc.cpu.empty())
    fmt::print("; {0}_nvcc_median_s={1:.3f}, {0}_nvcc_worst_s={2:.3f}", total.family, median(total.nvcc.cpu),
               total.nvcc.worst_cpu);
  fmt::print("\n");
  return middle <= target.median_s && (target.worst_s <= 0 || total.nvrtc.worst_cpu <= target.worst_s);
}

// What no Source can save. On an idle CPU some 0.015 s: how much more it takes here, the other figures do too.
double seconds_of_empty_kernel(const cuda::CudaCompiler& compiler) {
  std::vector<double> times(5);
  std::ranges::generate(times, [&] { return compile(compiler, empty_kernel()).cpu; });
  return median(times);
}

int run(const std::string& only, const bool want_nvcc) {
  const Settings settings = read_settings();
  const CompilerOptions options{.nvrtc = settings.nvrtc.value_or(""), .search_path = settings.search_path};
  const std::string program = want_nvcc ? find_program("nvcc", settings.search_path) : "";
  const std::optional<Nvcc> nvcc = program.empty() ? std::nullopt : std::optional<Nvcc>(std::in_place, program);
  const std::vector<Arch> archs = only.empty() ? gpu_archs() : std::vector<Arch>{gpu_arch(only)};
  const auto first = cuda::cuda_compiler_for(archs.front(), options);
  static_cast<void>(compile(*first, empty_kernel()));  // the first compilation of a process starts the compiler
  fmt::print("{} at {}; an empty kernel takes {:.3f} s\n", first->name(), first->path(),
             seconds_of_empty_kernel(*first));
  fmt::print("seconds of processor time: median (of wall time) worst\n{:<9} {:<14} {:>7}  {:<18} {:<18} {}\n", "arch",
             "family", "Sources", "nvrtc", "nvcc", "worst Source");
  std::vector<Total> totals;
  for (const Target& target : targets)
    totals.push_back({.family = target.family, .nvrtc = {}, .nvcc = {}});
  for (const Arch& arch : archs) {
    const auto compiler = cuda::cuda_compiler_for(arch, options);
    for (Total& total : totals)
      measure(*find_family(total.family), arch, *compiler, nvcc ? &*nvcc : nullptr, total);
  }
  if (!nvcc)
    fmt::print("skipped: nvcc {}\n", want_nvcc ? "is not on PATH" : "is not wanted");
  bool good = true;
  for (std::size_t n = 0; n < totals.size(); ++n)
    good = report(totals[n], targets[n]) && good;
  return good ? 0 : 1;
}

}  // namespace

int main(const int argc, char** const argv) try {
  std::string arch;
  bool want_nvcc = true;
  for (int n = 1; n < argc; ++n) {
    const std::string_view word = argv[n];
    if (word == "--no-nvcc") {
      want_nvcc = false;
    } else if (word == "--arch" && n + 1 < argc) {
      arch = argv[++n];
    } else {
      fmt::print(stderr, "usage: bench_nvrtc [--arch ARCH] [--no-nvcc]\n");
      return 2;
    }
  }
  return run(arch, want_nvcc);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_nvrtc: {}\n", error.what());
  return 1;
}
