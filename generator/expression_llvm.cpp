// Reading 3: LLVM IR as text (LLVM 19, opaque pointers), the same trees as visible(), classify() and apply().
//
// Only the definitions: the text joins the template's module, which defines @attentune_exp2. No intrinsic is called,
// for its declaration might stand in the template already. All values are named, so no numbering can clash.
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "generator/expression.h"

namespace attentune {
namespace {

// One basic block, an instruction a line.
class Block {
 public:
  // Appends "%name.N = instruction" and returns the value's name.
  template <class... Parts>
  std::string value(std::string_view name, fmt::format_string<Parts...> instruction, Parts&&... parts) {
    std::string result = fmt::format("%{}.{}", name, count_++);
    text_ += fmt::format("  {} = {}\n", result, fmt::format(instruction, std::forward<Parts>(parts)...));
    return result;
  }

  std::string argument(int slot) {
    const std::string address = value("slot", "getelementptr inbounds i64, ptr %arguments, i64 {}", slot);
    return value("argument", "load i64, ptr {}, align 8", address);
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  int count_ = 0;
};

std::string definition(std::string_view signature, const Block& block, std::string_view result) {
  return fmt::format("define internal {} alwaysinline nounwind {{\n{}  ret {}\n}}\n", signature, block.text(), result);
}

// An i1: row %i (shift included) sees key %j. Distances instead of bounds, as in visible(): no sum can overflow.
std::string visible(Block& block, const Node& node) {
  switch (node.op) {
    case Op::causal:
      return block.value("causal", "icmp sle i64 %j, %i");
    case Op::window: {
      const std::string left = block.value("left", "sub i64 0, {}", block.argument(node.first_slot));
      const std::string right = block.argument(node.first_slot + 1);
      const std::string distance = block.value("distance", "sub i64 %j, %i");
      const std::string after = block.value("after", "icmp sge i64 {}, {}", distance, left);
      const std::string before = block.value("before", "icmp sle i64 {}, {}", distance, right);
      return block.value("window", "and i1 {}, {}", after, before);
    }
    case Op::sink:
      return block.value("sink", "icmp slt i64 %j, {}", block.argument(node.first_slot));
    case Op::both:
    case Op::either: {
      const std::string left = visible(block, node.operands[0]);
      const std::string right = visible(block, node.operands[1]);
      const bool both = node.op == Op::both;
      return block.value(both ? "both" : "either", "{} i1 {}, {}", both ? "and" : "or", left, right);
    }
    case Op::all:
    case Op::score:
    case Op::softcap:
      break;
  }
  return "true";
}

// 0 empty, 1 partial, 2 full: what is full is also not empty, so the two answers add up.
std::string class_of(Block& block, const std::string& some, const std::string& every) {
  const std::string low = block.value("low", "zext i1 {} to i32", some);
  const std::string high = block.value("high", "zext i1 {} to i32", every);
  return block.value("class", "add nuw nsw i32 {}, {}", low, high);
}

// An i32, line by line that of expression_interval.cpp.
std::string classify(Block& block, const Node& node) {
  switch (node.op) {
    case Op::causal: {
      const std::string some = block.value("some", "icmp sle i64 %j_first, %i_last");
      return class_of(block, some, block.value("every", "icmp sle i64 %j_last, %i_first"));
    }
    case Op::window: {
      const std::string left = block.value("left", "sub i64 0, {}", block.argument(node.first_slot));
      const std::string right = block.argument(node.first_slot + 1);
      const std::string first = block.value("first", "sub i64 %j_first, %i_last");
      const std::string last = block.value("last", "sub i64 %j_last, %i_first");
      const std::string some_after = block.value("some_after", "icmp sle i64 {}, {}", left, last);
      const std::string some_before = block.value("some_before", "icmp sle i64 {}, {}", first, right);
      const std::string some = block.value("some", "and i1 {}, {}", some_after, some_before);
      const std::string every_after = block.value("every_after", "icmp sle i64 {}, {}", left, first);
      const std::string every_before = block.value("every_before", "icmp sle i64 {}, {}", last, right);
      return class_of(block, some, block.value("every", "and i1 {}, {}", every_after, every_before));
    }
    case Op::sink: {
      const std::string count = block.argument(node.first_slot);
      const std::string some = block.value("some", "icmp slt i64 %j_first, {}", count);
      return class_of(block, some, block.value("every", "icmp slt i64 %j_last, {}", count));
    }
    case Op::both:
    case Op::either: {
      const std::string left = classify(block, node.operands[0]);
      const std::string right = classify(block, node.operands[1]);
      const bool both = node.op == Op::both;
      const std::string chosen = block.value("chosen", "icmp {} i32 {}, {}", both ? "ult" : "ugt", left, right);
      return block.value(both ? "both" : "either", "select i1 {}, i32 {}, i32 {}", chosen, left, right);
    }
    case Op::all:
    case Op::score:
    case Op::softcap:
      break;
  }
  return "2";
}

// A float constant exactly: LLVM writes it as the bits of the double of the same value (LangRef, "Simple Constants").
std::string constant(double number) {
  return fmt::format("0x{:016X}", std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<float>(number))));
}

// tanh(x) = x + x^3 P(x^2) for |x| < 0.625, coefficients of P from low to high: minimax in relative error on (0, 0.625]
// by Remez exchange with 50 decimal digits, error 4.4e-9, far below an ulp of f32 (6e-8).
constexpr double near_limit = 0.625;
constexpr std::array<double, 5> near_coefficients{-0.33333281942284415, 0.13331442206256744, -0.053739715764598905,
                                                  0.02063908938072966, -0.005704989249001959};
// Past 2^30, (e - 1) / (e + 1) is exactly 1 in f32; so beyond +-30 the exponent's value no longer matters, and
// @attentune_exp2 need not care for infinities or overflow.
constexpr double far_limit = 30;
constexpr double log2_e = 1.4426950408889634;

// c * tanh(s / c). Far from 0 with e = exp2(2 x log2 e), tanh(x) = (e - 1) / (e + 1); near 0 that would lose relative
// accuracy with e - 1, so a polynomial serves there. Both are computed and one is selected: no branch in a vector loop.
// An unordered comparison (NaN) takes the polynomial, which keeps the NaN. Measured over all binary orders against f64:
// relative error at most 2.3e-7 with an @attentune_exp2 of 1 ulp; infinities give exactly +-c.
std::string softcap(Block& block, double cap) {
  const auto far_from_zero = [&] {
    const std::string scaled = block.value("scaled", "fmul float %score, {}", constant(2 * log2_e / cap));
    const std::string above = block.value("above", "fcmp olt float {}, {}", scaled, constant(far_limit));
    const std::string capped =
        block.value("capped", "select i1 {}, float {}, float {}", above, scaled, constant(far_limit));
    const std::string below = block.value("below", "fcmp ogt float {}, {}", capped, constant(-far_limit));
    const std::string power =
        block.value("power", "select i1 {}, float {}, float {}", below, capped, constant(-far_limit));
    const std::string e = block.value("e", "call float @attentune_exp2(float {})", power);
    const std::string less = block.value("less", "fadd float {}, {}", e, constant(-1));
    const std::string more = block.value("more", "fadd float {}, {}", e, constant(1));
    return block.value("far", "fdiv float {}, {}", less, more);
  };
  const auto near_zero = [&](const std::string& x, const std::string& square) {
    std::string sum = constant(near_coefficients.back());
    for (std::size_t k = near_coefficients.size() - 1; k-- > 0;) {
      const std::string product = block.value("product", "fmul contract float {}, {}", sum, square);
      sum = block.value("sum", "fadd contract float {}, {}", product, constant(near_coefficients[k]));
    }
    const std::string tail = block.value("tail", "fmul float {}, {}", sum, square);
    const std::string rest = block.value("rest", "fmul contract float {}, {}", tail, x);
    return block.value("near", "fadd contract float {}, {}", rest, x);
  };

  const std::string x = block.value("x", "fmul float %score, {}", constant(1 / cap));
  const std::string square = block.value("square", "fmul float {}, {}", x, x);
  const std::string far = far_from_zero();
  const std::string near = near_zero(x, square);
  const std::string is_near =
      block.value("is_near", "fcmp ult float {}, {}", square, constant(near_limit * near_limit));
  const std::string tanh = block.value("tanh", "select i1 {}, float {}, float {}", is_near, near, far);
  return block.value("softcap", "fmul float {}, {}", tanh, constant(cap));
}

}  // namespace

std::string mask_ir(const Structure& mask) {
  Block seen;
  const std::string seen_result = "i1 " + visible(seen, mask.root);
  Block tile;
  const std::string tile_result = "i32 " + classify(tile, mask.root);
  return definition("zeroext i1 @attentune_visible(i64 %i, i64 %j, ptr %arguments)", seen, seen_result) + '\n' +
         definition("i32 @attentune_classify(i64 %i_first, i64 %i_last, i64 %j_first, i64 %j_last, ptr %arguments)",
                    tile, tile_result);
}

std::string score_ir(const Structure& score) {
  Block block;
  const Node& root = score.root;
  const std::string result = root.op == Op::softcap ? softcap(block, root.literal) : std::string("%score");
  return definition("float @attentune_score(float %score)", block, "float " + result);
}

}  // namespace attentune
