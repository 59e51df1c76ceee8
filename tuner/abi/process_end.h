// The end of a process that has not released its runtimes, as Python's does not: their threads must not use what is
// being destroyed.
#pragma once

#include <memory>

#include "tuner/abi/handles.h"

namespace attentune::abi {

// At exit() the runtime's background work ends, and no more begins: the compile under way is waited for, the candidate
// under way is dropped. Called when a runtime's first background work is about to begin, so that all it uses of other
// libraries (the CUDA driver, NVRTC) is loaded, and still there: what is registered last runs first. Costs some 100
// bytes that are not given back.
void stop_at_exit(std::weak_ptr<RuntimeState> state);

}  // namespace attentune::abi
