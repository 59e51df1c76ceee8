// Ctrl-C as a flag.
#pragma once

#include <atomic>

namespace attentune {

// From now on the first SIGINT or SIGTERM sets the flag and a second one ends the process as usual.
[[nodiscard]] const std::atomic<bool>& catch_interrupts();

}  // namespace attentune
