// How many keys a row sees under a mask: for exact flop counts, predictions and the visibility probe.
#pragma once

#include <cstdint>

#include "generator/problem.h"

namespace attentune {

// Keys j in [0, len_kv) visible to row i. Cost: the size of the expression, independent of len_kv.
[[nodiscard]] std::int64_t visible_keys(const Mask& mask, std::int64_t i, std::int64_t shift, std::int64_t len_kv);

// Visible pairs of a row and a key over all pairs, 0 to 1; 0 when there are none. Counted on at most 64 rows spread
// evenly, so within a few percent and cheap enough to ask for every Config of a space.
[[nodiscard]] double visible_fraction(const Problem& problem);

}  // namespace attentune
