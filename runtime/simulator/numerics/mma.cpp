#include "runtime/simulator/numerics/mma.h"

#include <algorithm>
#include <array>

namespace attentune::numerics {

void mma(const MmaForm& form, std::span<const Lanes> a, std::span<const Lanes> b, std::span<const Lanes> c,
         std::span<Lanes> d) noexcept {
  std::array<float, 16 * longest_k> left;
  std::array<float, longest_k * 8> right;
  decode_a(form.a, a, left);
  decode_b(form.b, b, right);
  if (c.data() != d.data())
    std::copy(c.begin(), c.end(), d.begin());
  multiply_tile({.k = form.k, .f16_accumulator = form.f16_accumulator}, left, right, d);
}

}  // namespace attentune::numerics
