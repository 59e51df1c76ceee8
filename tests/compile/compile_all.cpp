#include "tests/compile/compile_all.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "generator/default_kernels.h"
#include "generator/error.h"
#include "generator/kernel_sample.h"
#include "runtime/cuda/compile_log.h"
#include "runtime/cuda/compiler.h"

namespace attentune {
namespace {

std::string complaint_of(const Binary& binary) {
  if (!binary.warnings.empty())
    return binary.warnings.front();
  // Namespace-scope variables would be a constant that slipped out of its enum.
  const int global_bytes = cuda::parse_compile_log(binary.log).global_bytes;
  return global_bytes == 0 ? "" : std::to_string(global_bytes) + " bytes of global variables";
}

}  // namespace

std::vector<Compilation> defaults_of(const KernelFamily& family, const Arch& arch) {
  std::vector<Compilation> compilations;
  for (DefaultKernel& kernel : default_kernels(family, arch))
    compilations.push_back({.name = std::move(kernel.named.name), .source = std::move(kernel.source)});
  CHECK(compilations.size() >= 10);
  return compilations;
}

std::vector<Compilation> sample_of(const KernelFamily& family, const Arch& arch, std::size_t points) {
  std::vector<Compilation> compilations;
  for (const KernelSamplePoint& point : kernel_sample(family, arch, 1, points))
    compilations.push_back({.name = to_text(point.problem) + " | " + to_text(point.config),
                            .source = family.render(point.problem, arch, point.config)});
  CHECK(compilations.size() <= points);
  return compilations;
}

bool compile_all(const Arch& arch, std::vector<Compilation>& compilations, const CompilerOptions& options) {
  std::shared_ptr<const cuda::CudaCompiler> compiler;
  try {
    compiler = cuda::cuda_compiler_for(arch, options);
  } catch (const RefusalError& refusal) {
    MESSAGE("skipped: ", std::string(refusal.what()));
    return false;
  }
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t n = next++; n < compilations.size(); n = next++) {
      try {
        const Binary binary = compiler->compile(compilations[n].source);
        compilations[n].spill_bytes = binary.spill_bytes;
        compilations[n].complaint = complaint_of(binary);
      } catch (const std::exception& error) {
        compilations[n].complaint = error.what();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned n = 0; n < std::max(1U, std::thread::hardware_concurrency()); ++n)
      threads.emplace_back(work);
  }
  return true;
}

}  // namespace attentune
