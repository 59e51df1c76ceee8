// Ceilings: what this machine can do at most, measured in the same run and on the same threads as the kernels that are
// held against it.
#pragma once

#include <cstdint>
#include <memory>

#include "generator/arch.h"
#include "runtime/executor.h"
#include "runtime/llvm/compiler.h"

namespace attentune {

class Ceilings {
 public:
  // Compiles two small loops for the whole ISA of the Arch, so that the ceiling is not the build's baseline ISA.
  Ceilings(const Arch& arch, int threads);
  ~Ceilings();
  Ceilings(const Ceilings&) = delete;
  Ceilings& operator=(const Ceilings&) = delete;

  // FLOP/s of independent f32 multiply-adds in registers, an addition and a multiplication counted each. Host kernels
  // of every dtype multiply in f32, so this is the ceiling of all of them. About 0.1 s.
  [[nodiscard]] double multiply_add() const;
  // Bytes/s of reading a working set of this size again and again: the cache level that holds it, or memory.
  [[nodiscard]] double read(double working_set_bytes) const;
  // Bytes/s, read and written both counted, of copying between two halves of a working set.
  [[nodiscard]] double copy(double working_set_bytes) const;

 private:
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<llvm_backend::LoadedObject> code_;
  int vector_floats_;
};

// The roofline: FLOP/s that arithmetic and memory together allow a call of `flops` and `bytes`.
[[nodiscard]] double roofline(double flops, double bytes, double multiply_add, double read_rate) noexcept;

}  // namespace attentune
