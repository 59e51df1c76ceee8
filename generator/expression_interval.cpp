// Reading 2: a rectangle of rows and keys.
//
// Each helper is classed exactly. & and | combine as in Kleene's three-valued logic, empty < partial < full: & is the
// smaller, | the larger. That is conservative, and loses sharpness only where two operands are both partial on one
// tile: sink(4)|window(w,0) stays partial on a tile whose first 4 keys are sinks and whose rest lies in the window.
#include <algorithm>
#include <cstddef>

#include "generator/expression.h"

namespace attentune {
namespace {

TileClass class_of(bool some, bool every) noexcept {
  if (every)
    return TileClass::full;
  return some ? TileClass::partial : TileClass::empty;
}

// `row` already holds the shift.
TileClass classify(const Node& node, const std::vector<std::int64_t>& arguments, Interval row, Interval j) {
  const auto argument = [&](std::size_t offset) {
    return arguments[static_cast<std::size_t>(node.first_slot) + offset];
  };
  switch (node.op) {
    case Op::all:
      return TileClass::full;
    case Op::causal:
      return class_of(j.first <= row.last, j.last <= row.first);
    case Op::window: {
      // The distances j - row of a tile are all the whole numbers from nearest to farthest.
      const Interval distance{.first = j.first - row.last, .last = j.last - row.first};
      const Interval seen{.first = -argument(0), .last = argument(1)};
      return class_of(seen.first <= distance.last && distance.first <= seen.last,
                      seen.first <= distance.first && distance.last <= seen.last);
    }
    case Op::sink:
      return class_of(j.first < argument(0), j.last < argument(0));
    case Op::both:
      return std::min(classify(node.operands[0], arguments, row, j), classify(node.operands[1], arguments, row, j));
    case Op::either:
      return std::max(classify(node.operands[0], arguments, row, j), classify(node.operands[1], arguments, row, j));
    case Op::score:
    case Op::softcap:
      break;  // no masks
  }
  return TileClass::partial;
}

}  // namespace

TileClass classify(const Mask& mask, Interval i, Interval j, std::int64_t shift) {
  const Interval row{.first = i.first + shift, .last = i.last + shift};
  return classify(mask.structure->root, mask.arguments, row, j);
}

}  // namespace attentune
