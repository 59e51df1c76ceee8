#include "generator/pairwise.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "generator/seeded_sequence.h"

namespace attentune {
namespace {

using Pairs = std::vector<std::uint64_t>;

// Each value of each column as a number of its own, so that a pair of values is one number.
std::vector<Pairs> pairs_of(const std::vector<std::vector<std::string>>& rows) {
  std::map<std::pair<std::size_t, std::string>, std::uint64_t> numbers;
  std::vector<Pairs> pairs;
  pairs.reserve(rows.size());
  for (const std::vector<std::string>& row : rows) {
    std::vector<std::uint64_t> values;
    values.reserve(row.size());
    for (std::size_t column = 0; column < row.size(); ++column)
      values.push_back(numbers.try_emplace({column, row[column]}, numbers.size()).first->second);
    Pairs& own = pairs.emplace_back();
    for (std::size_t a = 0; a < values.size(); ++a) {
      for (std::size_t b = a + 1; b < values.size(); ++b)
        own.push_back(values[a] << 32 | values[b]);
    }
  }
  return pairs;
}

}  // namespace

std::vector<std::size_t> pairwise_cover(const std::vector<std::vector<std::string>>& rows, std::uint64_t seed,
                                        std::size_t limit) {
  const std::vector<Pairs> pairs = pairs_of(rows);
  std::unordered_set<std::uint64_t> uncovered;
  for (const Pairs& own : pairs)
    uncovered.insert(own.begin(), own.end());

  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  SeededSequence random(seed);
  for (std::size_t n = order.size(); n > 1; --n)
    std::swap(order[n - 1], order[random.below(n)]);

  std::vector<std::size_t> chosen;
  while (!uncovered.empty() && chosen.size() < limit) {
    std::size_t best = order.front();
    std::ptrdiff_t most = 0;
    for (const std::size_t row : order) {
      const auto gain = std::count_if(pairs[row].begin(), pairs[row].end(),
                                      [&](std::uint64_t pair) { return uncovered.contains(pair); });
      if (gain > most) {
        most = gain;
        best = row;
      }
    }
    for (const std::uint64_t pair : pairs[best])
      uncovered.erase(pair);
    chosen.push_back(best);
  }
  return chosen;
}

}  // namespace attentune
