// The sample of forward_mma's features.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generator/arch.h"
#include "generator/kernel_sample.h"

namespace attentune {

using MmaSamplePoint = KernelSamplePoint;
[[nodiscard]] std::vector<MmaSamplePoint> mma_sample(const Arch& arch, std::uint64_t seed, std::size_t limit);

}  // namespace attentune
