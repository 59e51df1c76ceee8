// Pairwise covering: few rows that together hold every pair of values any row holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace attentune {

// Places in `rows`, in the order chosen, at most `limit` of them. Every row has the same number of columns. Two values
// of different columns that stand together in some row stand together in some chosen row, unless `limit` came first;
// greedy, so that the first rows cover the most. The seed decides among equals. Cost: rows * columns^2 for each row
// chosen.
[[nodiscard]] std::vector<std::size_t> pairwise_cover(const std::vector<std::vector<std::string>>& rows,
                                                      std::uint64_t seed, std::size_t limit);

}  // namespace attentune
