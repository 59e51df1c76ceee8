// Fault: what stops a simulated kernel, in one sentence its author understands, and where it happened.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/simulator/state/lanes.h"

namespace attentune::simulator {

enum class FaultKind : std::uint8_t {
  uninitialized_register,
  uninitialized_memory,
  out_of_bounds,
  forbidden_access,  // a write to a read-only buffer, a read of a write-only one
  misaligned,
  race,
  divergence,   // an .aligned or strict instruction reached by part of a warp
  barrier,      // a barrier or mbarrier used against its rules
  deadlock,     // nobody can run any more
  no_progress,  // somebody runs for ever
  trapped,      // trap
  bad_operand,  // a value the ISA calls undefined behaviour, such as a lane outside its own membermask
  launch        // the launch itself: too many threads, too much shared memory, parameters of another size
};
[[nodiscard]] std::string_view name(FaultKind kind) noexcept;

// Where a lane stood. Lines are 0 where unknown.
struct Place {
  std::string kernel;
  std::int64_t block = -1;  // linear index in the grid, -1: no block
  std::int32_t warp = -1;
  Mask lanes = 0;
  std::int32_t ptx_line = 0;
  std::string source;  // "attention.cu:120"; "" without .loc
};

class Fault : public std::runtime_error {
 public:
  Fault(FaultKind kind, const std::string& sentence, const Place& place);
  [[nodiscard]] FaultKind kind() const noexcept { return kind_; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }

 private:
  FaultKind kind_;
  Place place_;
};

// "lane 3", "lanes 0-15", "lanes 0, 4, 8", "all lanes"
[[nodiscard]] std::string describe_lanes(Mask lanes);

}  // namespace attentune::simulator
