// LLVM's view of this machine and of named CPUs. Includes LLVM headers: only for files of this folder.
#pragma once

#include <memory>

#include <llvm/Target/TargetMachine.h>

#include "generator/arch.h"

namespace attentune::llvm_backend {

// Registers LLVM's native target, once a process; safe from any thread.
void initialize_target();
// While one lives on a thread, memory that `new` cannot find there is LLVM's to miss: its objects cannot be destroyed
// after an exception came through them, so the process ends as on_out_of_memory says.
class LlvmCall {
 public:
  LlvmCall() noexcept;
  ~LlvmCall();
  LlvmCall(const LlvmCall&) = delete;
  LlvmCall& operator=(const LlvmCall&) = delete;

 private:
  bool is_nested_;
};

// A code generator at the highest level for arch. Throws RefusalError for an Arch of another machine.
[[nodiscard]] std::unique_ptr<llvm::TargetMachine> make_target_machine(const Arch& arch);

}  // namespace attentune::llvm_backend
