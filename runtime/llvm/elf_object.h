// A relocatable ELF64 object checked section by section, so that a damaged file never reaches LLVM's linker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attentune::llvm_backend {

struct ElfObject {
  std::vector<std::string> defined;  // global symbols
  std::vector<std::string> undefined;
};

// Reads the object; throws Error(device_failed) saying what is wrong with it: not ELF, not 64-bit little-endian, not of
// this machine, not relocatable, or anything outside of the file or of its section. O(size).
[[nodiscard]] ElfObject read_elf_object(const std::vector<std::uint8_t>& bytes);

}  // namespace attentune::llvm_backend
