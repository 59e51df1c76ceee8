// One wgmma operation: the checks of its operands, and its arithmetic.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/simulator/execution/async_access.h"
#include "runtime/simulator/execution/warpgroup.h"

namespace attentune::simulator {

[[nodiscard]] AsyncAccess product_access(const Warp& warp, std::uint32_t group, std::uint32_t warpgroup) noexcept;

// Descriptors, bounds, validity, races and proxies of what it reads in shared memory; fills product.sources.
void check_operands(Warp& warp, Product& product);

// D of all four warps. Cost: some microseconds a warp for n = 128.
void multiply(const std::array<Warp*, warps_per_group>& warps, const Product& product);

}  // namespace attentune::simulator
