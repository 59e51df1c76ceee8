// PtxCompiler: NVRTC up to the PTX, which is what a simulator runs. A Binary's object is the PTX text.
#pragma once

#include <memory>
#include <string>

#include "runtime/compiler.h"
#include "runtime/cuda/compiler.h"

namespace attentune::simulator {

class PtxCompiler final : public Compiler {
 public:
  // Throws RefusalError when no NVRTC is found that knows the Arch.
  PtxCompiler(const Arch& arch, const CompilerOptions& options);

  [[nodiscard]] std::string name() const override { return nvrtc_->name(); }
  [[nodiscard]] std::string options() const override { return "ptx " + nvrtc_->options(); }
  [[nodiscard]] Binary compile(const Source& source) const override;

 private:
  std::string arch_;
  std::shared_ptr<const cuda::CudaCompiler> nvrtc_;
};

}  // namespace attentune::simulator
