// Random masks for property tests: seeded, with small arguments so that every case occurs on small tiles.
#pragma once

#include <cstdint>
#include <random>
#include <utility>

#include "generator/expression.h"

namespace attentune::testing {

inline std::int64_t random_number(std::mt19937_64& random, std::int64_t first, std::int64_t last) {
  return std::uniform_int_distribution<std::int64_t>(first, last)(random);
}

// A tree of at most `height`, with at most `slots` arguments; `slots` is what is left of them.
inline Node random_tree(std::mt19937_64& random, int height, int& slots) {
  if (height > 1 && random_number(random, 0, 2) != 0) {
    Node node{.op = random_number(random, 0, 1) == 0 ? Op::both : Op::either};
    node.operands.push_back(random_tree(random, height - 1, slots));
    node.operands.push_back(random_tree(random, height - 1, slots));
    return node;
  }
  const auto pick = random_number(random, 0, 7);
  if (pick == 0)
    return Node{.op = Op::all};
  if (pick <= 4 && slots >= 2) {
    slots -= 2;
    return Node{.op = Op::window};
  }
  if (pick <= 6 && slots >= 1) {
    slots -= 1;
    return Node{.op = Op::sink};
  }
  return Node{.op = Op::causal};
}

inline Mask random_mask(std::mt19937_64& random, int height, std::int64_t largest_argument) {
  int slots = max_mask_slots;
  Mask mask;
  mask.structure = make_structure(random_tree(random, height, slots));
  for (std::size_t k = 0; k < mask.structure->slots.size(); ++k) {
    mask.arguments.push_back(random_number(random, 0, largest_argument));
  }
  return mask;
}

}  // namespace attentune::testing
