// The rows of one box of a tensor: PTX ISA 9.0, sections 5.5.2 and 5.5.3 (tiled mode).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "runtime/simulator/memory/tensor_map.h"

namespace attentune::simulator {

using Coordinates = std::array<std::int32_t, TensorMapFields::most_dimensions>;  // elements, innermost first

// One innermost row: `lead` bytes out of bounds, `inside` bytes in bounds from `address`, then out of bounds again.
struct BoxRow {
  std::uint64_t offset = 0;  // of the row in the box, whose rows follow one another
  std::uint64_t address = 0;
  std::uint32_t lead = 0;
  std::uint32_t inside = 0;
};

// Elements of dimension `d` that a box has: every step-th of it.
[[nodiscard]] constexpr std::uint32_t box_elements(const TensorMapFields& map, std::size_t d) noexcept {
  const std::uint32_t step = d == 0 ? 1 : map.step[d];
  return (map.box[d] + step - 1) / step;
}

[[nodiscard]] inline std::uint64_t row_bytes(const TensorMapFields& map) noexcept {
  return box_elements(map, 0) * bytes_of(map.element);
}

[[nodiscard]] inline std::uint64_t box_bytes(const TensorMapFields& map) noexcept {
  std::uint64_t bytes = row_bytes(map);
  for (std::size_t d = 1; d < map.rank; ++d)
    bytes *= box_elements(map, d);
  return bytes;
}

template <class Action>
void for_each_row(const TensorMapFields& map, const Coordinates& begin, Action&& action) {
  const auto element = static_cast<std::int64_t>(bytes_of(map.element));
  const std::uint64_t bytes = row_bytes(map);
  const auto width = static_cast<std::int64_t>(box_elements(map, 0));
  const auto size = static_cast<std::int64_t>(map.size[0]);
  const std::int64_t first = std::clamp<std::int64_t>(-std::int64_t{begin[0]}, 0, width);
  const std::int64_t last = std::clamp<std::int64_t>(size - begin[0], first, width);
  std::array<std::uint32_t, TensorMapFields::most_dimensions> index{};
  for (std::uint64_t offset = 0; offset < box_bytes(map); offset += bytes) {
    bool inside = last > first;
    std::int64_t address = static_cast<std::int64_t>(map.address) + (begin[0] + first) * element;
    for (std::size_t d = 1; d < map.rank; ++d) {
      const std::int64_t at = std::int64_t{begin[d]} + std::int64_t{index[d]} * map.step[d];
      inside = inside && at >= 0 && at < static_cast<std::int64_t>(map.size[d]);
      address += at * static_cast<std::int64_t>(map.stride_bytes[d - 1]);
    }
    action(BoxRow{.offset = offset,
                  .address = static_cast<std::uint64_t>(address),
                  .lead = inside ? static_cast<std::uint32_t>(first * element) : static_cast<std::uint32_t>(bytes),
                  .inside = inside ? static_cast<std::uint32_t>((last - first) * element) : 0});
    for (std::size_t d = 1; d < map.rank && ++index[d] == box_elements(map, d); ++d)
      index[d] = 0;
  }
}

}  // namespace attentune::simulator
