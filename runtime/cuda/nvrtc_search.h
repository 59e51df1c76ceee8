// Where libnvrtc may be, and which of several to take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generator/arch.h"
#include "runtime/compiler.h"
#include "runtime/cuda/nvrtc.h"

namespace attentune::cuda {

// Paths and loader names in order of preference among equal versions (DESIGN section 9): already loaded, the loader's
// path, CUDA toolkits, conda environments, Python packages of NVIDIA. `search_path` is PATH: a folder PREFIX/bin in it
// stands for PREFIX. Several may name one file.
[[nodiscard]] std::vector<std::string> nvrtc_candidates(const std::string& search_path);

// options.nvrtc if given, else the newest candidate that knows the Arch and whose code the driver can load. A driver
// loads what an NVRTC of its own major version or an older one makes ("CUDA Compatibility", minor version
// compatibility). Throws RefusalError saying what was found and why it will not do.
[[nodiscard]] std::shared_ptr<const Nvrtc> find_nvrtc(const Arch& arch, const CompilerOptions& options);
// The same among given candidates.
[[nodiscard]] std::shared_ptr<const Nvrtc> find_nvrtc(const Arch& arch, const CompilerOptions& options,
                                                      const std::vector<std::string>& candidates);

}  // namespace attentune::cuda
