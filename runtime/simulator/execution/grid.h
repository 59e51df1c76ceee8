// Runs the blocks of a launch, as many at once as the multiprocessors hold.
#pragma once

#include "runtime/simulator/execution/launch.h"
#include "runtime/simulator/execution/multiprocessor.h"

namespace attentune::simulator {

// Throws Fault.
void run_grid(Launch& launch, const Multiprocessor& limits);

}  // namespace attentune::simulator
