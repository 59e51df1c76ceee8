// What a GPU is, as the driver tells it.
#pragma once

#include <cstdint>

#include "generator/arch.h"
#include "generator/device_identity.h"
#include "runtime/cuda/driver.h"

namespace attentune::cuda {

struct GpuFacts {
  DeviceIdentity identity;
  Arch arch;
  int compute_capability = 0;         // 90 = 9.0
  std::int64_t shared_per_block = 0;  // the most a block may have, static and dynamic together
};

// Throws RefusalError for a GPU whose compute capability is not in the table.
[[nodiscard]] GpuFacts gpu_facts(const Driver& driver, CuDevice device);

}  // namespace attentune::cuda
