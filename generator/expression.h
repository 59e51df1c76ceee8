// Masks and scores: one typed expression, several readings (DESIGN section 5).
//
//   mask  := all | helper | mask & mask | mask | mask | ( mask )
//   helper:= causal() | window(left,right) | sink(n)
//   score := score | softcap(cap)
//
// & binds tighter than |. Arguments of mask helpers are launch scalars: they live in numbered slots beside the tree, so
// two windows of different width have one structure, one compiled kernel. softcap's cap is a literal and is compiled
// in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

enum class Op : std::uint8_t {
  all,      // every key is visible (no mask)
  causal,   // j <= i + shift
  window,   // i + shift - left <= j <= i + shift + right     slots: left, right
  sink,     // j < n                                          slots: n
  both,     // &
  either,   // |
  score,    // the scaled score itself
  softcap,  // cap * tanh(score / cap)                        literal: cap
};

// What an argument of a mask helper means; decides its reach (window widths are bucketed, n of sink is launch only).
enum class SlotKind : std::uint8_t { window_width, sink_count };

struct Node {
  Op op = Op::all;
  int first_slot = -1;              // window: first_slot = left, first_slot + 1 = right; sink: first_slot = n
  double literal = 0;               // softcap: cap
  std::vector<Node> operands = {};  // both, either: exactly two

  bool operator==(const Node&) const = default;
};

// The part of a mask or score that reaches the binary key: immutable, shared, compared by pointer first ("interned" by
// whoever keeps it: copies of a Problem share it, so comparing structures on the hot path is one pointer comparison).
struct Structure {
  Node root;
  std::vector<SlotKind> slots;  // kinds of the numbered arguments, at most max_mask_slots
  std::string text;             // canonical, arguments as "_": "causal()&(window(_,_)|sink(_))"
  std::uint64_t hash = 0;       // of text
};

inline constexpr int max_mask_slots = 8;
// Bounds both the nesting of parentheses in a text and the height of a tree: every reading recurses over it.
inline constexpr int max_expression_depth = 32;
// Lengths are below 2^62; a wider argument hides nothing more, so parsing clamps arguments to this.
inline constexpr std::int64_t max_mask_argument = std::int64_t{1} << 62;

// A structure from a tree of at most max_mask_slots arguments and max_expression_depth: numbers the slots in the order
// of the text (whatever first_slot said), fills in kinds, text and hash.
[[nodiscard]] std::shared_ptr<const Structure> make_structure(Node root);
// The canonical text of a tree, arguments as "_".
[[nodiscard]] std::string structure_text(const Node& root);

// A mask: a structure and the values of its slots.
struct Mask {
  std::shared_ptr<const Structure> structure;  // never null; default-constructed = all()
  std::vector<std::int64_t> arguments;         // one a slot

  Mask();
  [[nodiscard]] bool is_all() const noexcept { return structure->root.op == Op::all; }
  // True when two masks share structure and arguments.
  bool operator==(const Mask& other) const;
};

// A score expression: a function of the scaled score S. Default: score itself.
struct Score {
  std::shared_ptr<const Structure> structure;  // never null

  Score();
  [[nodiscard]] bool is_identity() const noexcept { return structure->root.op == Op::score; }
  bool operator==(const Score& other) const;
};

// Text to value; throws RefusalError naming the position and the word. Spaces, tabs and line ends may stand anywhere
// between words; "all()" is read as all. Arguments are whole numbers, 0 or more; cap lies between 1e-18 and 1e18.
// parse(to_text(x)) == x.
[[nodiscard]] Mask parse_mask(std::string_view text);
[[nodiscard]] Score parse_score(std::string_view text);
// Canonical text, without spaces and with the fewest parentheses: "causal()&window(1023,0)".
[[nodiscard]] std::string to_text(const Mask& mask);
[[nodiscard]] std::string to_text(const Score& score);

// Reading 1, the reference's: one key, one row. shift = len_kv - len_q. Exact semantics of DESIGN section 4.
[[nodiscard]] bool visible(const Mask& mask, std::int64_t i, std::int64_t j, std::int64_t shift);
[[nodiscard]] double apply(const Score& score, double scaled_score);

// Reading 2, intervals: rows [i_first, i_last] by keys [j_first, j_last], both inclusive. Conservative: `partial` is
// always allowed, `empty` and `full` are promises.
enum class TileClass : std::uint8_t { empty = 0, partial = 1, full = 2 };
struct Interval {
  std::int64_t first = 0;
  std::int64_t last = 0;
};
[[nodiscard]] TileClass classify(const Mask& mask, Interval i, Interval j, std::int64_t shift);

// Reading 3, LLVM IR: complete function definitions as text, `internal` and `alwaysinline`. `arguments` points at the
// mask's slots in order (AttentionArgs::mask_arguments); i is the query row plus shift.
//   define internal zeroext i1 @attentune_visible(i64 %i, i64 %j, ptr %arguments)
//   define internal i32   @attentune_classify(i64 %i_first, i64 %i_last, i64 %j_first, i64 %j_last, ptr %arguments)
//     0 empty, 1 partial, 2 full, like TileClass
//   define internal float @attentune_score(float %score)      uses @attentune_exp2(float) for tanh
[[nodiscard]] std::string mask_ir(const Structure& mask);
[[nodiscard]] std::string score_ir(const Structure& score);

// Reading 4, CUDA C++: function definitions as text, over the helpers of templates/cuda/mask.cuh and score.cuh.
//   visible(args, at)           bool for a Position, TileClass for a KeyTile
//   visible_run(args, at, run)  the run-th of the KeyRuns (mask_runs.h) that rows `at` may see
//   score(s)                    of a scaled score
[[nodiscard]] std::string mask_cuda(const Structure& mask);
[[nodiscard]] std::string score_cuda(const Structure& score);

}  // namespace attentune
