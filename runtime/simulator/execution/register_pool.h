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
  std::vector<bool> changed;        // by warp: it has executed a setmaxnreg
  std::uint32_t free = 0;           // a thread's share, summed over warps

  // As a launch begins: as many a thread as the bounds the kernel states leave, in steps of 8, and no more than its
  // largest setmaxnreg.inc asks for. None where it lacks .maxntid or .minnctapersm, as then setmaxnreg has no effect
  // (C7508). The ISA leaves this open; these are what ptxas 13.0 writes into its cubins.
  void start(const Kernel& kernel, std::uint32_t warps);
  // "warp 0 24, warps 4-7 240, ..., of 65536": what the deadlock of a setmaxnreg needs.
  [[nodiscard]] std::string describe() const;
};

}  // namespace attentune::simulator
