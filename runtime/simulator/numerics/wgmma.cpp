#include "runtime/simulator/numerics/wgmma.h"

#include <algorithm>
#include <array>
#include <functional>

namespace attentune::numerics {

void wgmma(const WgmmaForm& form, std::span<const float> a, std::span<const float> b, std::span<Lanes> d) noexcept {
  std::array<float, 16 * longest_k> left;
  const auto elements = std::size_t{16} * static_cast<std::size_t>(form.k);
  // Two negations cancel, and one of either operand is one of every product.
  if (form.negate_a != form.negate_b)
    std::transform(a.begin(), a.begin() + 16 * form.k, left.begin(), std::negate<>{});
  else
    std::copy_n(a.begin(), elements, left.begin());

  const TileProduct tile{.k = form.k,
                         .b_stride = form.n,
                         .f16_accumulator = form.f16_accumulator,
                         .accumulate = form.scale_d,
                         .accumulation = form.accumulation};
  const std::size_t registers = form.f16_accumulator ? 2 : 4;  // of 8 columns
  for (std::size_t block = 0; block < static_cast<std::size_t>(form.n / 8); ++block)
    multiply_tile(tile, {left.data(), elements}, b.subspan(8 * block), d.subspan(registers * block, registers));
}

}  // namespace attentune::numerics
