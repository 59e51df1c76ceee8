// The visibility probe (DESIGN section 4): with Q = 0 every score is 0, so exp(LSE) counts the visible keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "generator/problem.h"
#include "runtime/executor.h"
#include "runtime/reference/verify.h"

namespace attentune {

// Rows with more visible keys than this are not counted: f32 LSE no longer tells n from n + 1 there.
inline constexpr std::int64_t most_countable_keys = 32768;

// Can the probe run on this class? It needs the lse output and a score with score(0) = 0.
[[nodiscard]] bool has_visibility_probe(const Problem& problem);

// Runs the kernel once on `problem` with Q = 0 and checks every row. Nothing when all counts agree, else a sentence
// with the first row that differs: "batch 0 query 5 head 1 sees 6 keys instead of 5".
[[nodiscard]] std::optional<std::string> visibility_probe(const Problem& problem, const RunKernel& run,
                                                          Executor& executor, const DeviceMemory& memory);

}  // namespace attentune
