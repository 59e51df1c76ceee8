// Binary: a cubin or ELF object and what its compiler said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/launch_rule.h"

namespace attentune {

struct Binary {
  std::string key;                   // binary key (key.h), 64 hex digits
  std::string arch;                  // to_text(Arch)
  std::string family;                // KernelFamily name
  std::string compiler;              // "llvm 19.1.7"
  std::string options;               // what changed the output besides Source and Arch
  std::vector<std::uint8_t> object;  // the bytes
  std::vector<LaunchRule> launches;
  // What the compiler said. Zero or empty where it said nothing.
  int registers = 0;
  int spill_bytes = 0;
  int shared_bytes = 0;
  int minimum_driver = 0;
  double compile_ms = 0;
  std::vector<std::string> warnings;
  std::string log;
};

// Everything but the object, as JSON text; the Store keeps the object beside it as a checked blob.
[[nodiscard]] std::string metadata_text(const Binary& binary);
// Fills everything but `object`; throws RefusalError.
[[nodiscard]] Binary parse_binary_metadata(std::string_view text);

}  // namespace attentune
