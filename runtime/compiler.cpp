#include "runtime/compiler.h"

#include <utility>

#include "runtime/cuda/compiler.h"
#include "runtime/llvm/compiler.h"

namespace attentune {
namespace {

class HostCompiler final : public Compiler {
 public:
  explicit HostCompiler(Arch arch) : arch_(std::move(arch)) {}
  [[nodiscard]] std::string name() const override { return llvm_backend::compiler_name(); }
  [[nodiscard]] std::string options() const override { return llvm_backend::compiler_options(); }
  [[nodiscard]] Binary compile(const Source& source) const override { return llvm_backend::compile(source, arch_); }

 private:
  Arch arch_;
};

}  // namespace

std::shared_ptr<const Compiler> compiler_for(const Arch& arch, const CompilerOptions& options) {
  if (!arch.is_host()) {
    return cuda::cuda_compiler_for(arch, options);
  }
  return std::make_shared<HostCompiler>(arch);
}

}  // namespace attentune
