// Compiler: Source to Binary for one Arch, on a machine that need not have such a device.
#pragma once

#include <memory>
#include <string>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/source.h"

namespace attentune {

class Compiler {
 public:
  virtual ~Compiler() = default;
  // "llvm 19.1.7", "nvrtc 13.0"; enters the binary key.
  [[nodiscard]] virtual std::string name() const = 0;
  // What else changes its output besides Source and Arch; enters the binary key.
  [[nodiscard]] virtual std::string options() const = 0;
  // Fills all of a Binary but key and family. Any thread, several at once. Throws Error(compile_failed) with the log,
  // RefusalError for a Source that compiles to something no device should run.
  [[nodiscard]] virtual Binary compile(const Source& source) const = 0;
};

struct CompilerOptions {
  std::string nvrtc;        // path of the libnvrtc.so to use; "" = search
  std::string search_path;  // PATH, which says where toolkits and Pythons stand
  int driver = 0;           // what the code must load on, as cuDriverGetVersion says (12080 = CUDA 12.8); 0 = any
  int watchdog_polls = 0;   // of GPU kernels: give up a wait after so many polls (runtime/watchdog.h); 0 = never
};

// Throws RefusalError when this build or this machine has no compiler for the Arch.
[[nodiscard]] std::shared_ptr<const Compiler> compiler_for(const Arch& arch, const CompilerOptions& options = {});

}  // namespace attentune
