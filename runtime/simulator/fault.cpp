#include "runtime/simulator/fault.h"

#include <array>
#include <bit>

#include <fmt/format.h>

namespace attentune::simulator {

namespace {

std::string message(FaultKind kind, const std::string& sentence, const Place& place) {
  std::string text = fmt::format("{}: {}; kernel {}", name(kind), sentence, place.kernel);
  if (place.block >= 0)
    text += fmt::format(", block {}", place.block);
  if (place.warp >= 0)
    text += fmt::format(", warp {}", place.warp);
  if (place.lanes != 0)
    text += ", " + describe_lanes(place.lanes);
  if (place.ptx_line != 0)
    text += fmt::format(", PTX line {}", place.ptx_line);
  if (!place.source.empty())
    text += fmt::format(" ({})", place.source);
  return text;
}

}  // namespace

std::string_view name(FaultKind kind) noexcept {
  static constexpr std::array<std::string_view, 13> names{"uninitialized register",
                                                          "uninitialized memory",
                                                          "out of bounds",
                                                          "forbidden access",
                                                          "misaligned address",
                                                          "race",
                                                          "divergence",
                                                          "barrier",
                                                          "deadlock",
                                                          "no progress",
                                                          "trap",
                                                          "bad operand",
                                                          "launch"};
  return names[static_cast<std::size_t>(kind)];
}

Fault::Fault(FaultKind kind, const std::string& sentence, const Place& place)
    : std::runtime_error(message(kind, sentence, place)), kind_(kind), place_(place) {}

std::string describe_lanes(Mask lanes) {
  if (lanes == every_lane)
    return "all lanes";
  std::string text;
  for (Mask rest = lanes; rest != 0;) {
    const int first = std::countr_zero(rest);
    const int length = std::countr_one(rest >> first);
    text += text.empty() ? "" : ", ";
    text += length == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + length - 1);
    rest = first + length == warp_size ? 0 : rest >> (first + length) << (first + length);
  }
  return (std::has_single_bit(lanes) ? "lane " : "lanes ") + text;
}

}  // namespace attentune::simulator
