#include "runtime/cuda/compiler.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <utility>

#include "generator/error.h"
#include "runtime/cuda/compile_log.h"
#include "runtime/cuda/cubin.h"
#include "runtime/cuda/nvrtc_search.h"

namespace attentune::cuda {
namespace {

// --minimal leaves out built-in texture and runtime declarations no Source uses. Never --Ofast-compile, -rdc or -G:
// each makes ptxas ignore setmaxnreg or serialize wgmma.
std::vector<std::string> options_of(const int watchdog_polls) {
  std::vector<std::string> options{"--std=c++20", "--minimal"};
  if (watchdog_polls > 0)
    options.push_back(fmt::format("--define-macro=WATCHDOG_POLLS={}", watchdog_polls));
  return options;
}

void require_cuda(const Source& source) {
  if (source.language != Language::cuda)
    throw Error(Status::compile_failed, "NVRTC compiles CUDA C++ only; this Source is LLVM IR");
}

[[noreturn]] void fail(const Nvrtc::Output& output) {
  throw Error(Status::compile_failed, fmt::format("NVRTC: {}\n{}", output.message, output.log));
}

}  // namespace

CudaCompiler::CudaCompiler(Arch arch, std::shared_ptr<const Nvrtc> nvrtc, const int watchdog_polls)
    : arch_(std::move(arch)), nvrtc_(std::move(nvrtc)), options_(options_of(watchdog_polls)) {}

std::string CudaCompiler::name() const {
  return fmt::format("nvrtc {}.{}", nvrtc_->version().major, nvrtc_->version().minor);
}

std::string CudaCompiler::options() const { return fmt::format("{}", fmt::join(options_, " ")); }

Binary CudaCompiler::compile(const Source& source) const {
  require_cuda(source);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> options = options_;
  options.push_back("--gpu-architecture=" + arch_.name);
  options.emplace_back("--ptxas-options=-v");  // says more, changes nothing
  Nvrtc::Output output = nvrtc_->compile(source.text, options);
  if (output.result != NvrtcResult::success)
    fail(output);
  const Cubin cubin = read_cubin(output.cubin);
  const CompileLog log = parse_compile_log(output.log);
  if (!log.broken_promise.empty())
    throw RefusalError({.field = "config",
                        .value = arch_.name,
                        .limit = "ptxas says: " + log.broken_promise,
                        .remedy = "use another Config"});

  Binary binary;
  binary.arch = to_text(arch_);
  binary.compiler = name();
  binary.options = this->options();
  binary.launches = source.launches;
  binary.object = std::move(output.cubin);
  for (const CubinEntry& entry : cubin.entries) {
    binary.registers = std::max(binary.registers, entry.registers);
    binary.shared_bytes = std::max(binary.shared_bytes, entry.shared_bytes);
  }
  binary.spill_bytes = log.spill_bytes;
  // Any driver of the compiler's major version loads its cubins ("CUDA Compatibility", minor version compatibility).
  binary.minimum_driver = nvrtc_->version().major * 1000;
  binary.warnings = log.warnings;
  binary.log = std::move(output.log);
  binary.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return binary;
}

std::string CudaCompiler::ptx(const Source& source) const {
  require_cuda(source);
  // A virtual architecture stops after the PTX; its name is the target's with another prefix.
  std::vector<std::string> options = options_;
  options.push_back("--gpu-architecture=compute_" + arch_.name.substr(3));
  options.emplace_back("-lineinfo");
  Nvrtc::Output output = nvrtc_->compile(source.text, options);
  if (output.result != NvrtcResult::success)
    fail(output);
  return std::move(output.ptx);
}

std::shared_ptr<const CudaCompiler> cuda_compiler_for(const Arch& arch, const CompilerOptions& options) {
  return std::make_shared<CudaCompiler>(arch, find_nvrtc(arch, options), options.watchdog_polls);
}

}  // namespace attentune::cuda
