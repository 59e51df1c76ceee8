// The mbarrier an address names.
#pragma once

#include <cstdint>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/execution/mbarrier.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

// Checks the access as any other strong one; stops the run where no mbarrier has been initialized.
[[nodiscard]] MBarrier& find_mbarrier(Warp& warp, Space space, std::uint64_t address, int lane,
                                      AccessKind kind = AccessKind::atomic);

}  // namespace attentune::simulator
