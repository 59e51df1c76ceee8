// The Compiler of GPU Archs: NVRTC.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generator/source.h"
#include "runtime/compiler.h"
#include "runtime/cuda/nvrtc.h"

namespace attentune::cuda {

class CudaCompiler final : public Compiler {
 public:
  CudaCompiler(Arch arch, std::shared_ptr<const Nvrtc> nvrtc, int watchdog_polls = 0);

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::string options() const override;
  // Besides what every Compiler throws: RefusalError when ptxas did not keep what the Source asked for (compile_log.h).
  [[nodiscard]] Binary compile(const Source& source) const override;

  // PTX of the same Source, with line directives: what a simulator runs, and people read. Costs half of compile().
  [[nodiscard]] std::string ptx(const Source& source) const;
  // Where the compiler was found.
  [[nodiscard]] const std::string& path() const noexcept { return nvrtc_->path(); }

 private:
  Arch arch_;
  std::shared_ptr<const Nvrtc> nvrtc_;
  std::vector<std::string> options_;  // of every compilation
};

// With the NVRTC that suits best; throws as find_nvrtc.
[[nodiscard]] std::shared_ptr<const CudaCompiler> cuda_compiler_for(const Arch& arch, const CompilerOptions& options);

}  // namespace attentune::cuda
