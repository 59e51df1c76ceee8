// Reading 4: CUDA text over the helpers of templates/cuda/mask.cuh and score.cuh.
#include <fmt/format.h>

#include "generator/expression.h"
#include "generator/mask_runs.h"

namespace attentune {
namespace {

std::string call(const Node& node) {
  const int slot = node.first_slot;
  switch (node.op) {
    case Op::causal:
      return "causal(at)";
    case Op::window:
      return fmt::format("window(at, argument(args, {}), argument(args, {}))", slot, slot + 1);
    case Op::sink:
      return fmt::format("sink(at, argument(args, {}))", slot);
    case Op::both:
      return fmt::format("both({}, {})", call(node.operands[0]), call(node.operands[1]));
    case Op::either:
      return fmt::format("either({}, {})", call(node.operands[0]), call(node.operands[1]));
    case Op::all:
    case Op::score:
    case Op::softcap:
      break;
  }
  return "everything(at)";
}

// Exactly the float: hexadecimal literals round nothing.
std::string literal(double number) { return fmt::format("{:a}f", static_cast<float>(number)); }

}  // namespace

std::string mask_cuda(const Structure& mask) {
  std::string text = fmt::format(
      "// The mask {}, for one score (Position) or a tile of them (KeyTile).\n"
      "template <class At>\n"
      "INLINE auto visible(const AttentionArgs& args, const At& at) {{\n"
      "  return {};\n"
      "}}\n\n"
      "// The keys rows `at` may see, as KEY_RUNS contiguous runs.\n"
      "INLINE KeyRun visible_run(const AttentionArgs& args, const Rows& at, int run) {{\n",
      mask.text, call(mask.root));
  const std::vector<Node> runs = visible_runs(mask.root);
  for (std::size_t n = 0; n + 1 < runs.size(); ++n)
    text += fmt::format("  if (run == {}) {{\n    return {};\n  }}\n", n, call(runs[n]));
  return text + fmt::format("  return {};\n}}\n", call(runs.back()));
}

std::string score_cuda(const Structure& score) {
  const Node& root = score.root;
  const std::string value = root.op == Op::softcap
                                ? fmt::format("softcap(s, {}, {})", literal(root.literal), literal(1 / root.literal))
                                : std::string("s");
  return fmt::format("// The score function {}.\nINLINE float score(float s) {{ return {}; }}\n", score.text, value);
}

}  // namespace attentune
