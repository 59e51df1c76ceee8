// Simulator: runs the kernels of a PTX module on the host, to check them. It is stricter than hardware: what the PTX
// ISA calls undefined stops the run with a Fault that names the place. It gives counts, never seconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/simulator/counts.h"
#include "runtime/simulator/fault.h"
#include "runtime/simulator/memory/global_memory.h"
#include "runtime/simulator/ptx/module.h"

namespace attentune::simulator {

// When asynchronous work takes effect: as it is issued, or as late as somebody waits for it, in seeded order. A correct
// kernel gives the same result in both.
enum class Asynchrony : std::uint8_t { eager, lazy };

struct Options {
  std::uint64_t seed = 1;  // of the order of warps, of late completions and of approximate results (0: exact ones)
  Asynchrony asynchrony = Asynchrony::lazy;
  bool races = true;  // happens-before checking of shared and writable global memory
  // mma, wgmma, ldmatrix and setmaxnreg want an explicit bar.warp.sync after a divergent branch, stores of equal
  // bytes race, and an unwritten register may not even be computed with.
  bool strict = false;
  // Of one launch, by warps: more is taken for a loop without end. At some ten million a second, minutes.
  std::uint64_t most_instructions = 4'000'000'000;
  int sms = 2;  // multiprocessors: with the limits of one, how many blocks are resident at once
};

struct Extent {
  std::uint32_t x = 1;
  std::uint32_t y = 1;
  std::uint32_t z = 1;
  [[nodiscard]] std::uint64_t count() const noexcept { return std::uint64_t{x} * y * z; }
};

struct LaunchShape {
  Extent grid;
  Extent block;
  Extent cluster;
  std::uint32_t dynamic_shared_bytes = 0;
};

class Simulator {
 public:
  // Throws RefusalError for an instruction form the simulator does not know, by name and line.
  Simulator(ptx::Module module, const Options& options);
  ~Simulator();
  Simulator(Simulator&&) noexcept;
  Simulator& operator=(Simulator&&) noexcept;

  // Memory that kernels may touch, by its own address; it must outlive the runs. Scratch is poisoned here.
  void register_buffer(void* pointer, std::size_t bytes, const std::string& name, BufferAccess access);
  void unregister_buffer(const void* pointer);

  // One launch, from begin to end. `parameters`: the parameter block, laid out as the entry declares it.
  // Throws Fault. Buffers keep what was written until then.
  Report run(std::string_view entry, const LaunchShape& shape, std::span<const std::byte> parameters);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace attentune::simulator
