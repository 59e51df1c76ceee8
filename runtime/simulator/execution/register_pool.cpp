#include "runtime/simulator/execution/register_pool.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

namespace {

// 0 where the kernel does not bound them.
std::uint32_t registers_at_launch(const Kernel& kernel) {
  if (kernel.max_registers > 0)
    return static_cast<std::uint32_t>(kernel.max_registers) / 8 * 8;
  const auto product = [](const std::array<std::int32_t, 3>& counts) {
    std::uint32_t result = counts[0] == 0 ? 0 : 1;
    for (const std::int32_t count : counts)
      result *= static_cast<std::uint32_t>(std::max(count, 1));
    return result;
  };
  const std::uint32_t threads = std::max(product(kernel.max_threads), product(kernel.required_threads));
  const auto blocks = static_cast<std::uint32_t>(std::max(kernel.min_blocks, 0));
  const std::uint32_t most = kernel.most_registers == 0 ? RegisterPool::most_a_thread : kernel.most_registers;
  return threads == 0 || blocks == 0 ? 0 : std::min(RegisterPool::of_multiprocessor / (threads * blocks) / 8 * 8, most);
}

}  // namespace

void RegisterPool::start(const Kernel& kernel, std::uint32_t warps) {
  held.assign(warps, registers_at_launch(kernel));
  free = 0;
}

std::string RegisterPool::describe() const {
  std::string text;
  for (std::size_t first = 0; first < held.size();) {
    std::size_t last = first;
    while (last + 1 < held.size() && held[last + 1] == held[first])
      ++last;
    text += fmt::format("{}warps {}-{} hold {} a thread", text.empty() ? "" : ", ", first, last, held[first]);
    first = last + 1;
  }
  return text + fmt::format(", {} are free", free * warp_size);
}

}  // namespace attentune::simulator
