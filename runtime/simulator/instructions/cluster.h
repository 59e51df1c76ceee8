#pragma once

#include "runtime/simulator/decode/step_builder.h"

namespace attentune::simulator {

// barrier.cluster.arrive and .wait: PTX ISA 9.0, section 9.7.13.3.
void decode_cluster_barrier(StepBuilder& builder);

}  // namespace attentune::simulator
