// Problems and Configs that together show a family of GPU kernels every pair of its features: what compile checks and
// simulated verification run over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/problem.h"

namespace attentune {

struct KernelSamplePoint {
  Problem problem;
  Config config;
};

// At most `limit` points, the same for the same seed. Covered are pairs of compile choices, head dims, group sizes,
// dtypes, masks, scores and outputs, as far as the Arch allows them together. The problems are small (at most 300 rows
// and keys), with odd lengths; `family` serves all of them on `arch`.
[[nodiscard]] std::vector<KernelSamplePoint> kernel_sample(const KernelFamily& family, const Arch& arch,
                                                           std::uint64_t seed, std::size_t limit);

}  // namespace attentune
