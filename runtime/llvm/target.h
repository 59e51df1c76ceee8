// LLVM's view of this machine and of named CPUs. Includes LLVM headers: only for files of this folder.
#pragma once

#include <memory>

#include <llvm/Target/TargetMachine.h>

#include "generator/arch.h"

namespace attentune::llvm_backend {

// Registers LLVM's native target, once a process; safe from any thread.
void initialize_target();
// A code generator at the highest level for arch. Throws RefusalError for an Arch of another machine.
[[nodiscard]] std::unique_ptr<llvm::TargetMachine> make_target_machine(const Arch& arch);

}  // namespace attentune::llvm_backend
