// Cubin: what the ELF file ptxas writes says about its kernels, read without a driver.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace attentune::cuda {

struct CubinEntry {
  std::string name;
  int registers = 0;     // a thread, at entry
  int stack_bytes = 0;   // a thread
  int shared_bytes = 0;  // a block, static, without what the system reserves
  bool operator==(const CubinEntry&) const = default;
};

struct Cubin {
  int sm = 0;  // 90 of sm_90a; the suffix is not recorded
  std::vector<CubinEntry> entries;
};

// Reads only inside `bytes`, whatever they are. Throws Error(device_failed) for what is no whole cubin.
[[nodiscard]] Cubin read_cubin(std::span<const std::uint8_t> bytes);

}  // namespace attentune::cuda
