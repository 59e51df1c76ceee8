// One block of sm_90a PTX with shared memory, a tensor map and two buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/simulator/memory/tensor_map.h"
#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

// The parameters are `map` (128 bytes), `in` and `out`; %map, %in and %out hold their generic addresses, %t the thread
// and %m the address of the dynamic shared memory, 1024. Registers %r0-39, %rd0-19, %f0-255, %p0-7 and %h0-7 are there.
struct HopperRun {
  std::string body;
  std::uint32_t threads = 128;
  std::uint32_t shared_bytes = 65536;
  std::vector<std::byte> in;
  std::vector<std::byte> out;
  TensorMapFields map{.size = {16}, .box = {16}};
  BufferAccess out_access = BufferAccess::read_write;
  Options options;
  Extent grid;
  Extent cluster;
  std::string directives;  // of the entry; empty: .maxntid of the threads

  Report run();
  [[nodiscard]] std::string fault();
  // `out` as values.
  template <class T>
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(out.size() / sizeof(T));
    std::memcpy(result.data(), out.data(), result.size() * sizeof(T));
    return result;
  }
};

// PTX: every thread copies its share of the first `bytes` of %in to shared memory, which wgmma and bulk copies may read
// afterwards; and of shared memory to %out.
[[nodiscard]] std::string copy_in(std::uint32_t bytes, std::uint32_t threads = 128);
[[nodiscard]] std::string copy_out(std::uint32_t bytes, std::uint32_t threads = 128);

}  // namespace attentune::simulator
