// Stands in for the compiler in a build without host code generation (HOST_CODEGEN=OFF): every call is refused.
#include "generator/error.h"
#include "runtime/llvm/compiler.h"

namespace attentune::llvm_backend {
namespace {

[[noreturn]] void refuse() {
  throw RefusalError({.field = "device",
                      .value = "host",
                      .limit = "this attentune was built without host code generation",
                      .remedy = "build it with -DHOST_CODEGEN=ON, or use --device gpu:0"});
}

}  // namespace

std::string compiler_name() { return "llvm absent"; }  // also asked for what makes builds differ
Arch host_arch() { refuse(); }
Arch host_arch(std::string_view) { refuse(); }
Binary compile(const Source&, const Arch&) { refuse(); }
std::string compiler_options() { refuse(); }
std::string assembly(const Source&, const Arch&) { refuse(); }
void on_out_of_memory(void (*)()) {}
std::vector<std::string> undefined_symbols(const std::vector<std::uint8_t>&) { refuse(); }
std::unique_ptr<LoadedObject> load(const std::vector<std::uint8_t>&) { refuse(); }

}  // namespace attentune::llvm_backend
