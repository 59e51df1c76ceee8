// Control flow of an entry: its basic blocks, and where diverged lanes meet again.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/simulator/ptx/module.h"

namespace attentune::ptx {

// Instructions that run one after the other: entered at the first only, left after the last only.
struct Block {
  std::int32_t first = 0;
  std::int32_t end = 0;                  // one past the last
  std::vector<std::int32_t> successors;  // blocks, ascending; the number of blocks stands for the entry's end
  // The nearest block that every way from here to the entry's end passes through, the number of blocks when that is
  // the end itself. Lanes that part in this block's branch meet there.
  std::int32_t post_dominator = 0;
  bool reachable = false;  // from the first block, whatever the values
};

struct ControlFlow {
  std::vector<Block> blocks;           // in the order of their instructions
  std::vector<std::int32_t> block_of;  // by instruction
};

// Branches are bra and brx.idx; ret, exit and trap end a lane. Throws RefusalError for a branch without a label.
// Near-linear in practice, quadratic at worst.
[[nodiscard]] ControlFlow control_flow(const Entry& entry);

// The immediate post-dominator of each node of a graph; successors.size() stands for the end, as node and as result.
// From some nodes no way may lead to the end. Of each such set, the last node in order is taken to lead there too, so
// that a branch within an endless loop still has a place where its ways meet, and nobody waits for lanes in one.
// Source: K. D. Cooper, T. J. Harvey, K. Kennedy, A Simple, Fast Dominance Algorithm, 2001, on the reversed graph.
[[nodiscard]] std::vector<std::int32_t> immediate_post_dominators(
    const std::vector<std::vector<std::int32_t>>& successors);

}  // namespace attentune::ptx
