#pragma once

#include "runtime/simulator/decode/step_builder.h"

namespace attentune::simulator {

// cp.async.bulk.*, cp.reduce.async.bulk.*: PTX ISA 9.0, sections 9.7.9.25.4 and 9.7.9.25.5.
void decode_bulk_copy(StepBuilder& builder);

}  // namespace attentune::simulator
