// Reading 1: one key and one row, written from DESIGN section 4.
#include <cmath>
#include <cstddef>

#include "generator/expression.h"

namespace attentune {
namespace {

// Helpers compare the distance j - (i + shift), which fits for lengths below 2^62; i + shift + width might not.
bool visible(const Node& node, const std::vector<std::int64_t>& arguments, std::int64_t row, std::int64_t j) {
  const auto argument = [&](std::size_t offset) {
    return arguments[static_cast<std::size_t>(node.first_slot) + offset];
  };
  switch (node.op) {
    case Op::all:
      return true;
    case Op::causal:
      return j <= row;
    case Op::window:
      return -argument(0) <= j - row && j - row <= argument(1);
    case Op::sink:
      return j < argument(0);
    case Op::both:
      return visible(node.operands[0], arguments, row, j) && visible(node.operands[1], arguments, row, j);
    case Op::either:
      return visible(node.operands[0], arguments, row, j) || visible(node.operands[1], arguments, row, j);
    case Op::score:
    case Op::softcap:
      break;  // no masks
  }
  return true;
}

}  // namespace

bool visible(const Mask& mask, std::int64_t i, std::int64_t j, std::int64_t shift) {
  return visible(mask.structure->root, mask.arguments, i + shift, j);
}

double apply(const Score& score, double scaled_score) {
  const Node& root = score.structure->root;
  return root.op == Op::softcap ? root.literal * std::tanh(scaled_score / root.literal) : scaled_score;
}

}  // namespace attentune
