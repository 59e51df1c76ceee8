#include "generator/key_tiles.h"

#include <algorithm>

#include "generator/mask_runs.h"

namespace attentune {

std::vector<Interval> key_tile_runs(const Problem& p, const std::vector<Node>& runs, std::int64_t tile_n,
                                    Interval rows) {
  std::vector<Interval> tiles;
  for (const Node& run : runs) {
    const Interval keys = key_run(run, p.mask.arguments, rows);
    const std::int64_t first = std::max<std::int64_t>(keys.first, 0);
    const std::int64_t last = std::min(keys.last, p.len_kv - 1);
    if (first <= last)
      tiles.push_back({.first = first / tile_n, .last = last / tile_n + 1});
  }
  std::sort(tiles.begin(), tiles.end(), [](const Interval& a, const Interval& b) { return a.first < b.first; });
  std::vector<Interval> disjoint;
  for (const Interval& run : tiles) {
    if (!disjoint.empty() && run.first <= disjoint.back().last) {
      disjoint.back().last = std::max(disjoint.back().last, run.last);
    } else {
      disjoint.push_back(run);
    }
  }
  return disjoint;
}

}  // namespace attentune
