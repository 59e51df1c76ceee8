// The instructions templates/host/isa.h declares, as LLVM IR for one Arch.
#pragma once

#include <string>

#include "generator/arch.h"

namespace attentune {

// vreduceps and vscalefps on vectors of 512 bits (AVX-512 DQ).
[[nodiscard]] bool scales_exponents(const Arch& arch, int vector_bits) noexcept;
// vcvtneps2bf16 and vdpbf16ps (AVX512-BF16).
[[nodiscard]] bool multiplies_bf16_pairs(const Arch& arch, int vector_bits) noexcept;
// tdpbf16ps (AMX-BF16); the process must have asked the kernel for the tile registers (runtime/llvm/target.h).
[[nodiscard]] bool multiplies_bf16_tiles(const Arch& arch, int vector_bits) noexcept;

// Definitions of what the Arch has, all inlined; what it has not stays undefined, and nothing may call it.
[[nodiscard]] std::string isa_ir(const Arch& arch, int vector_bits);

}  // namespace attentune
