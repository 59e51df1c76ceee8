// The registers of a block's threads, which setmaxnreg moves between its warps (PTX ISA 9.0, section 9.7.19.5).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/simulator/decode/kernel.h"

namespace attentune::simulator {

struct RegisterPool {
  static constexpr std::uint32_t of_multiprocessor = 65536;
  static constexpr std::uint32_t most_a_thread = 256;  // as allocated

  std::vector<std::uint32_t> held;  // a thread, by warp
  std::uint32_t free = 0;           // a thread's share, summed over warps

  // As a launch begins: .maxnreg, or as many a thread as the kernel's other bounds leave and no more than its largest
  // setmaxnreg.inc asks for, in steps of 8. None where it states neither .maxnreg nor .maxntid with .minnctapersm, as
  // then setmaxnreg has no effect (C7508). The ISA leaves this open; these are what ptxas 13.0 writes into its cubins.
  void start(const Kernel& kernel, std::uint32_t warps);
  // "warp 0 24, warps 4-7 240, ..., of 65536": what the deadlock of a setmaxnreg needs.
  [[nodiscard]] std::string describe() const;
};

}  // namespace attentune::simulator
