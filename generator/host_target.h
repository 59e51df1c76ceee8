// What the generator knows of host CPUs: LLVM's names for the machine, vector registers, function attributes.
#pragma once

#include <string>
#include <string_view>

#include "generator/arch.h"

namespace attentune {

// One row a machine this project generates code for.
struct HostTarget {
  std::string_view machine;  // Arch::machine
  std::string_view triple;
  std::string_view data_layout;  // LLVM 19's, checked by its compiler against its own
  std::string_view baseline;     // the CPU whose features every such machine has
};
// nullptr for other machines.
[[nodiscard]] const HostTarget* host_target(std::string_view machine) noexcept;

// Widest vector registers in bits (512, 256, 128), and how many there are of that many bits.
[[nodiscard]] int vector_bits(const Arch& arch) noexcept;
[[nodiscard]] int vector_registers(const Arch& arch, int bits) noexcept;
// Does hardware convert f16 to f32 and back?
[[nodiscard]] bool converts_f16(const Arch& arch) noexcept;

// The attributes of a function compiled for arch with vectors of `bits`: a baseline CPU plus the complete list of
// features (so nothing the machine hides is taken from the CPU's name), tuned for the named CPU.
[[nodiscard]] std::string target_attributes(const Arch& arch, int bits);

}  // namespace attentune
