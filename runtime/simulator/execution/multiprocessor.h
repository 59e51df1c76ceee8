// What one multiprocessor holds, for how many blocks are resident at once (CUDA C++ Programming Guide, "Technical
// Specifications per Compute Capability").
#pragma once

#include <cstdint>
#include <string_view>

namespace attentune::simulator {

struct Multiprocessor {
  std::uint32_t shared_bytes = 0;        // of all blocks
  std::uint32_t block_shared_bytes = 0;  // of one block at most
  std::uint32_t warps = 0;
  std::uint32_t blocks = 0;
};

// `target`: a module's, "sm_90a". Throws RefusalError for one that is not known.
[[nodiscard]] Multiprocessor multiprocessor(std::string_view target);

}  // namespace attentune::simulator
