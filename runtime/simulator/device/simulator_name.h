// What people call a simulator: "sim:sm_80", or with options
// "sim:sm_80,seed=3,sms=4,instructions=1000000,eager,no-races".
#pragma once

#include <string_view>

#include "generator/arch.h"
#include "runtime/simulator/simulator.h"

namespace attentune::simulator {

struct SimulatorName {
  Arch arch;
  Options options;
};

[[nodiscard]] bool names_simulator(std::string_view device) noexcept;
// Throws RefusalError for an Arch or an option that is not known.
[[nodiscard]] SimulatorName parse_simulator_name(std::string_view device);

}  // namespace attentune::simulator
