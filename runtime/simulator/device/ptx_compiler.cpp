#include "runtime/simulator/device/ptx_compiler.h"

#include <chrono>

namespace attentune::simulator {

PtxCompiler::PtxCompiler(const Arch& arch, const CompilerOptions& options)
    : arch_(to_text(arch)), nvrtc_(cuda::cuda_compiler_for(arch, options)) {}

Binary PtxCompiler::compile(const Source& source) const {
  const auto begin = std::chrono::steady_clock::now();
  const std::string text = nvrtc_->ptx(source);
  Binary binary;
  binary.arch = arch_;
  binary.compiler = name();
  binary.options = options();
  binary.launches = source.launches;
  binary.object.assign(text.begin(), text.end());
  binary.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return binary;
}

}  // namespace attentune::simulator
