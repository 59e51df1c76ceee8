// Trees to canonical text: no spaces, and the fewest parentheses that parse back to the same tree.
#include <array>
#include <charconv>

#include "generator/expression.h"

namespace attentune {
namespace {

// Tighter binds higher. Chains lean left, so a right operand of equal precedence needs parentheses.
int precedence(Op op) noexcept {
  if (op == Op::either)
    return 1;
  if (op == Op::both)
    return 2;
  return 3;
}

template <class Number>
std::string shortest(Number number) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

class Printer {
 public:
  // No arguments: each prints as "_".
  explicit Printer(const std::vector<std::int64_t>* arguments) : arguments_(arguments) {}

  [[nodiscard]] std::string print(const Node& root) {
    append(root);
    return std::move(text_);
  }

 private:
  void append(const Node& node) {
    switch (node.op) {
      case Op::all:
        text_ += "all";
        return;
      case Op::causal:
        text_ += "causal()";
        return;
      case Op::window:
        text_ += "window(" + slot(node.first_slot) + ',' + slot(node.first_slot + 1) + ')';
        return;
      case Op::sink:
        text_ += "sink(" + slot(node.first_slot) + ')';
        return;
      case Op::both:
        append_binary(node, '&');
        return;
      case Op::either:
        append_binary(node, '|');
        return;
      case Op::score:
        text_ += "score";
        return;
      case Op::softcap:
        text_ += "softcap(" + shortest(node.literal) + ')';
        return;
    }
  }

  void append_binary(const Node& node, char symbol) {
    const Node& left = node.operands[0];
    const Node& right = node.operands[1];
    append_operand(left, precedence(left.op) < precedence(node.op));
    text_ += symbol;
    append_operand(right, precedence(right.op) <= precedence(node.op));
  }

  void append_operand(const Node& node, bool parentheses) {
    if (parentheses)
      text_ += '(';
    append(node);
    if (parentheses)
      text_ += ')';
  }

  [[nodiscard]] std::string slot(int number) const {
    return arguments_ == nullptr ? "_" : shortest(arguments_->at(static_cast<std::size_t>(number)));
  }

  const std::vector<std::int64_t>* arguments_;
  std::string text_;
};

}  // namespace

std::string to_text(const Mask& mask) { return Printer(&mask.arguments).print(mask.structure->root); }

// A score has no slots: its structure's text is its text.
std::string to_text(const Score& score) { return structure_text(score.structure->root); }

std::string structure_text(const Node& root) { return Printer(nullptr).print(root); }

}  // namespace attentune
