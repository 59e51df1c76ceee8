// LLVM 19 behind a door without LLVM headers: textual IR -> ELF object, and ELF object -> callable entries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/source.h"

namespace attentune::llvm_backend {

// "llvm 19.1.7".
[[nodiscard]] std::string compiler_name();
// This machine: LLVM's CPU name with its detected features (what the OS and a hypervisor hide is off).
[[nodiscard]] Arch host_arch();
// A named CPU of this machine's architecture ("haswell", "x86-64-v2"), with LLVM's features for it; throws RefusalError
// listing near names for an unknown one.
[[nodiscard]] Arch host_arch(std::string_view cpu);

// Parses, verifies, optimizes (O3) and emits a relocatable ELF object for a host Arch. Fills object, arch, compiler,
// options, compile_ms, warnings; key and family are the caller's. Thread-safe. Throws Error(compile_failed) with LLVM's
// message.
[[nodiscard]] Binary compile(const Source& source, const Arch& arch);
// What enters the binary key besides Source and Arch.
[[nodiscard]] std::string compiler_options();
// Assembly text of the same compilation, for people.
[[nodiscard]] std::string assembly(const Source& source, const Arch& arch);
// LLVM cannot unwind: where it finds no memory it calls `end`, which must not return. Without one it aborts the
// process, or lets an exception through that leaves its objects broken. Once a process, before anything is compiled;
// takes the place of the process's new handler.
void on_out_of_memory(void (*end)());
// Names of undefined symbols in an ELF object; throws Error(device_failed) when it is not one.
[[nodiscard]] std::vector<std::string> undefined_symbols(const std::vector<std::uint8_t>& object);

// Code in this process; entries live as long as it does.
class LoadedObject {
 public:
  virtual ~LoadedObject() = default;
  // Throws Error(device_failed) when the object defines no such symbol.
  [[nodiscard]] virtual void* entry(std::string_view symbol) const = 0;
};
// Only memcpy and memset may be undefined. Throws Error(device_failed) for a malformed object, another machine's, or
// one with other undefined symbols; checks enough of the ELF itself that a damaged file never reaches LLVM's linker.
[[nodiscard]] std::unique_ptr<LoadedObject> load(const std::vector<std::uint8_t>& object);

}  // namespace attentune::llvm_backend
