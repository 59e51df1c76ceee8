#include "tests/simulator/nvrtc.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <stdexcept>

namespace nvrtc {
namespace {

// As nvrtc.h declares them; 0 is NVRTC_SUCCESS.
using Program = struct ProgramOfNvrtc*;
using Create = int(Program*, const char*, const char*, int, const char* const*, const char* const*);
using Compile = int(Program, int, const char* const*);
using Size = int(Program, std::size_t*);
using Text = int(Program, char*);

void* open_library() {
  for (const char* const name : {"libnvrtc.so.13", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so.13"}) {
    if (void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
  }
  return nullptr;
}

template <class Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

std::string text_of(void* library, Program program, const char* size_name, const char* text_name) {
  std::size_t size = 0;
  if (find<Size>(library, size_name)(program, &size) != 0)
    throw std::runtime_error(size_name);
  std::string text(size, '\0');
  if (find<Text>(library, text_name)(program, text.data()) != 0)
    throw std::runtime_error(text_name);
  return text.substr(0, text.find('\0'));
}

}  // namespace

Compiled compile(const std::string& source, const std::string& arch) {
  // Stays open: the library keeps state of its own for the process.
  void* const library = open_library();
  if (library == nullptr)
    return {.ptx = "", .skipped = "there is no libnvrtc"};
  Program program = nullptr;
  if (find<Create>(library, "nvrtcCreateProgram")(&program, source.c_str(), "test.cu", 0, nullptr, nullptr) != 0)
    throw std::runtime_error("nvrtcCreateProgram");
  const std::string option = "-arch=" + arch;
  const std::array<const char*, 2> options = {option.c_str(), "-lineinfo"};
  if (find<Compile>(library, "nvrtcCompileProgram")(program, options.size(), options.data()) != 0)
    throw std::runtime_error(text_of(library, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog"));
  Compiled compiled{.ptx = text_of(library, program, "nvrtcGetPTXSize", "nvrtcGetPTX"), .skipped = ""};
  find<int(Program*)>(library, "nvrtcDestroyProgram")(&program);
  return compiled;
}

}  // namespace nvrtc
