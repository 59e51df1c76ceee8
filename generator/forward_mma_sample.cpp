#include "generator/forward_mma_sample.h"

#include "generator/forward_mma.h"

namespace attentune {

std::vector<MmaSamplePoint> mma_sample(const Arch& arch, std::uint64_t seed, std::size_t limit) {
  return kernel_sample(ForwardMma(), arch, seed, limit);
}

}  // namespace attentune
