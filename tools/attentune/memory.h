// Is there memory for a problem's operands? Linux promises memory it does not have and kills whoever uses it, so a
// command asks before it allocates.
#pragma once

#include <cstdint>

#include "generator/problem.h"

namespace attentune {

// What this process may still use, in bytes: the machine's free memory, its control group's limit, its own rlimit.
[[nodiscard]] std::int64_t available_memory();
// Throws Error(out_of_memory) when the operands do not fit, with a remedy.
void require_memory(const Problem& problem);

}  // namespace attentune
