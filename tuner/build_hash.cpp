#include "tuner/build_hash.h"

#include <string_view>

#include "generator/key.h"
#include "runtime/llvm/compiler.h"
#include "templates/templates.h"
#include "tuner/protocol.h"

namespace attentune {

std::string build_hash() {
  // The version, every embedded text (what kernels are made of and how they are launched) and both compilers.
  std::string content = ATTENTUNE_VERSION "\n" __VERSION__ "\n" + llvm_backend::compiler_name() + "\n" +
                        std::to_string(protocol_version) + "\n";
  for (const templates::Entry& entry : templates::entries()) {
    content += entry.name;
    content += '\n';
    content += sha256_hex(entry.text);
    content += '\n';
  }
  return sha256_hex(content);
}

}  // namespace attentune
