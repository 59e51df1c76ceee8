#include "runtime/simulator/execution/multiprocessor.h"

#include <array>
#include <string>

#include "generator/error.h"

namespace attentune::simulator {

Multiprocessor multiprocessor(std::string_view target) {
  struct Row {
    std::string_view target;
    Multiprocessor limits;
  };
  constexpr std::uint32_t kib = 1024;
  static constexpr std::array<Row, 7> rows{{
      {"sm_80", {.shared_bytes = 164 * kib, .block_shared_bytes = 163 * kib, .warps = 64, .blocks = 32}},
      {"sm_86", {.shared_bytes = 100 * kib, .block_shared_bytes = 99 * kib, .warps = 48, .blocks = 16}},
      {"sm_87", {.shared_bytes = 164 * kib, .block_shared_bytes = 163 * kib, .warps = 48, .blocks = 16}},
      {"sm_89", {.shared_bytes = 100 * kib, .block_shared_bytes = 99 * kib, .warps = 48, .blocks = 24}},
      {"sm_90", {.shared_bytes = 228 * kib, .block_shared_bytes = 227 * kib, .warps = 64, .blocks = 32}},
      {"sm_90a", {.shared_bytes = 228 * kib, .block_shared_bytes = 227 * kib, .warps = 64, .blocks = 32}},
      {"sm_120", {.shared_bytes = 100 * kib, .block_shared_bytes = 99 * kib, .warps = 48, .blocks = 24}},
  }};
  for (const Row& row : rows) {
    if (row.target == target)
      return row.limits;
  }
  throw RefusalError({.field = "target",
                      .value = std::string(target),
                      .limit = "the simulator knows sm_80, sm_86, sm_87, sm_89, sm_90, sm_90a and sm_120",
                      .remedy = "compile for one of them"});
}

}  // namespace attentune::simulator
