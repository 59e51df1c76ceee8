// Structures: numbered slots, text and hash; equality of masks and scores.
#include "generator/expression.h"

#include <utility>

namespace attentune {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv): the same on every machine and release.
std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

// Gives the arguments of the helpers below `node` the next numbers, left to right.
void number_slots(Node& node, std::vector<SlotKind>& slots) {
  node.first_slot = -1;
  if (node.op == Op::window || node.op == Op::sink) {
    node.first_slot = static_cast<int>(slots.size());
    if (node.op == Op::window)
      slots.insert(slots.end(), 2, SlotKind::window_width);
    if (node.op == Op::sink)
      slots.push_back(SlotKind::sink_count);
  }
  for (Node& operand : node.operands)
    number_slots(operand, slots);
}

bool same(const std::shared_ptr<const Structure>& a, const std::shared_ptr<const Structure>& b) {
  return a == b || a->text == b->text;
}

}  // namespace

std::shared_ptr<const Structure> make_structure(Node root) {
  Structure structure;
  structure.root = std::move(root);
  number_slots(structure.root, structure.slots);
  structure.text = structure_text(structure.root);
  structure.hash = fnv1a(structure.text);
  return std::make_shared<const Structure>(std::move(structure));
}

Mask::Mask() {
  static const std::shared_ptr<const Structure> shared = make_structure(Node{.op = Op::all});
  structure = shared;
}

bool Mask::operator==(const Mask& other) const {
  return arguments == other.arguments && same(structure, other.structure);
}

Score::Score() {
  static const std::shared_ptr<const Structure> shared = make_structure(Node{.op = Op::score});
  structure = shared;
}

bool Score::operator==(const Score& other) const { return same(structure, other.structure); }

}  // namespace attentune
