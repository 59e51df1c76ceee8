// mbarrier objects by address, and what happens to their counts (PTX ISA 9.0, section 9.7.13.15).
#pragma once

#include <cstdint>

#include "runtime/simulator/decode/step.h"
#include "runtime/simulator/execution/mbarrier.h"
#include "runtime/simulator/execution/warp.h"

namespace attentune::simulator {

struct NamedMBarrier {
  Block* block = nullptr;
  std::uint64_t address = 0;  // in that block's shared window
  MBarrier* mbarrier = nullptr;
};

// The mbarrier an address names, in any block of the cluster. Checks the access as any other strong one; stops the run
// where no mbarrier has been initialized.
[[nodiscard]] NamedMBarrier find_mbarrier(Warp& warp, Space space, std::uint64_t address, int lane,
                                          AccessKind kind = AccessKind::atomic);

// expect-tx and complete-tx (sections 9.7.13.15.5.1 and .2): `bytes` more, or as many fewer, are to come in this phase.
// Stops the run where the tx-count leaves its range. The caller checks whether the phase is complete now.
void expect_bytes(const Warp& warp, const NamedMBarrier& named, std::int64_t bytes, Mask lanes);

// Stops the run at an arrival in a phase whose predecessor nobody has seen complete (section 9.7.13.15.4): whoever
// still waits for that one cannot tell it from the next but one.
void check_last_phase_seen(const Warp& warp, const NamedMBarrier& named, Mask lanes);

// fence.mbarrier_init: whoever comes after it may let bulk copies signal what this warp has initialized.
void publish_mbarriers(Warp& warp);

// Stops a strict run at a bulk copy that is to signal an mbarrier whose initialization, a write of the generic proxy,
// has not been made known to the async proxy: by fence.mbarrier_init after it, or fence.proxy.async on the way
// (sections 9.7.13.4 and 9.7.9.25.2). Not all compilers put one there, and hardware has not been seen to mind.
void check_published(const Warp& warp, const NamedMBarrier& named, int lane);

}  // namespace attentune::simulator
