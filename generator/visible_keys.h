// How many keys a row sees under a mask: for exact flop counts and the visibility probe.
#pragma once

#include <cstdint>

#include "generator/expression.h"

namespace attentune {

// Keys j in [0, len_kv) visible to row i. Cost: the size of the expression, independent of len_kv.
[[nodiscard]] std::int64_t visible_keys(const Mask& mask, std::int64_t i, std::int64_t shift, std::int64_t len_kv);

}  // namespace attentune
