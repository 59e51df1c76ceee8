// NVRTC, where this machine has it, for tests that read what it emits.
#pragma once

#include <string>

namespace nvrtc {

struct Compiled {
  std::string ptx;      // empty: skipped
  std::string skipped;  // why
};

// Throws std::runtime_error with the compiler's log when the source does not compile.
[[nodiscard]] Compiled compile(const std::string& source, const std::string& arch);

}  // namespace nvrtc
