#include "runtime/watchdog.h"

#include <fmt/format.h>

namespace attentune {

std::string watchdog_sentence(const std::uint64_t report) {
  if (report == 0)
    return "";
  const auto field = [&](const int first_bit, const int bits) {
    return report >> first_bit & ((std::uint64_t{1} << bits) - 1);
  };
  constexpr std::uint64_t warps_a_warpgroup = 4;
  const std::uint64_t warp = field(32, 8);
  const std::string role =
      warp < warps_a_warpgroup ? "the producer" : fmt::format("consumer {}", warp / warps_a_warpgroup - 1);
  return fmt::format(
      "the watchdog stopped the kernel: {} (warp {}) of block {} waited in vain for stage {} of {} to become {} "
      "(parity "
      "{})",
      role, warp, field(0, 32), field(48, 8), static_cast<char>(field(40, 8)), field(57, 1) != 0 ? "full" : "empty",
      field(56, 1));
}

}  // namespace attentune
