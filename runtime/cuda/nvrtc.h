// Nvrtc: NVIDIA's run-time compiler, opened at run time, with declarations of our own (NVRTC 13.0 documentation;
// checked against the toolkit's header in check_declarations.cpp where there is one).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "generator/arch.h"
#include "runtime/cuda/shared_library.h"

namespace attentune::cuda {

enum class NvrtcResult : int { success = 0, invalid_option = 5, compilation = 6 };
using NvrtcProgram = struct NvrtcProgramHandle*;

struct NvrtcVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const NvrtcVersion&) const = default;
};

class Nvrtc {
 public:
  // A path, or a name the loader looks for. nullptr, and why in `error`, when it is no NVRTC.
  [[nodiscard]] static std::shared_ptr<const Nvrtc> open(const std::string& name, std::string& error);

  [[nodiscard]] NvrtcVersion version() const noexcept { return version_; }
  // Where it was found, as the loader names it.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] bool supports(const Arch& arch) const;

  struct Output {
    NvrtcResult result = NvrtcResult::success;
    std::string message;  // of the result
    std::string log;
    std::string ptx;
    std::vector<std::uint8_t> cubin;  // empty for a virtual architecture
  };
  // Any thread, several at once: programs compile independently.
  [[nodiscard]] Output compile(const std::string& text, const std::vector<std::string>& options) const;

 private:
  Nvrtc() = default;
  [[nodiscard]] bool bind(std::string& error);

  struct Functions {
    NvrtcResult (*version)(int* major, int* minor);
    NvrtcResult (*num_supported_archs)(int* count);
    NvrtcResult (*supported_archs)(int* archs);
    const char* (*error_string)(NvrtcResult result);
    NvrtcResult (*create_program)(NvrtcProgram* program, const char* source, const char* name, int header_count,
                                  const char* const* headers, const char* const* include_names);
    NvrtcResult (*destroy_program)(NvrtcProgram* program);
    NvrtcResult (*compile_program)(NvrtcProgram program, int option_count, const char* const* options);
    NvrtcResult (*log_size)(NvrtcProgram program, std::size_t* size);
    NvrtcResult (*log)(NvrtcProgram program, char* log);
    NvrtcResult (*ptx_size)(NvrtcProgram program, std::size_t* size);
    NvrtcResult (*ptx)(NvrtcProgram program, char* ptx);
    NvrtcResult (*cubin_size)(NvrtcProgram program, std::size_t* size);
    NvrtcResult (*cubin)(NvrtcProgram program, char* cubin);
  };

  SharedLibrary library_;
  Functions nvrtc_{};
  NvrtcVersion version_;
  std::string path_;
  std::vector<int> archs_;  // 80, 90, 120: without suffixes
};

}  // namespace attentune::cuda
