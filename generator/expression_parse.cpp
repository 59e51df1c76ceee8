// Text to masks and scores: recursive descent, one function a rule of the grammar in expression.h.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/expression.h"
#include "generator/text.h"

namespace attentune {
namespace {

struct Helper {
  std::string_view name;
  Op op;
  std::array<std::string_view, 2> parameters;  // "" = none
  std::string_view usage;

  [[nodiscard]] std::size_t parameter_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(parameters, [](auto p) { return !p.empty(); }));
  }
};

constexpr std::array<Helper, 4> mask_helpers{{
    {.name = "all", .op = Op::all, .parameters = {}, .usage = "all"},
    {.name = "causal", .op = Op::causal, .parameters = {}, .usage = "causal()"},
    {.name = "window", .op = Op::window, .parameters = {"left", "right"}, .usage = "window(left,right)"},
    {.name = "sink", .op = Op::sink, .parameters = {"n"}, .usage = "sink(n)"},
}};
constexpr std::string_view mask_words = "all, causal(), window(left,right) or sink(n)";
constexpr std::string_view score_words = "score or softcap(cap)";

// Kernels compute score / cap in f32: within these, no score that matters underflows or overflows.
constexpr double smallest_cap = 1e-18;
constexpr double largest_cap = 1e18;

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_word(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }
bool is_number(char c) noexcept { return is_word(c) || c == '.' || c == '+' || c == '-'; }

// The text, a place in it, and refusals that name the place.
class Reader {
 public:
  Reader(std::string_view field, std::string_view text) : field_(field), text_(text) { skip_spaces(); }

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] bool at_end() const noexcept { return position_ == text_.size(); }

  bool accept(char c) {
    if (at_end() || text_[position_] != c)
      return false;
    ++position_;
    skip_spaces();
    return true;
  }

  void expect(char c, std::string_view what) {
    if (!accept(c))
      refuse_found(position_, fmt::format("'{}' {} is expected", c, what));
  }

  // The longest run of such characters; empty when there is none.
  std::string_view take(bool (*belongs)(char) noexcept) {
    const std::size_t first = position_;
    while (!at_end() && belongs(text_[position_]))
      ++position_;
    const std::string_view taken = text_.substr(first, position_ - first);
    skip_spaces();
    return taken;
  }

  // `limit` at character `at`, and what stands there.
  [[noreturn]] void refuse_found(std::size_t at, std::string_view limit) const {
    refuse(fmt::format("{} at character {}, {}", limit, at + 1,
                       at < text_.size() ? fmt::format("found '{}'", shown(word_at(at))) : "the text ends"));
  }

  [[noreturn]] void refuse(std::string limit) const {
    const std::string_view example = field_ == "mask" ? "causal()&(window(1023,0)|sink(4))" : "softcap(30)";
    throw RefusalError(Refusal{.field = std::string(field_),
                               .value = shown(text_),
                               .limit = std::move(limit),
                               .remedy = fmt::format("use for example {}={}", field_, example)});
  }

 private:
  void skip_spaces() noexcept {
    while (!at_end() && is_space(text_[position_]))
      ++position_;
  }

  // A word or number, or one character with all its UTF-8 bytes.
  [[nodiscard]] std::string_view word_at(std::size_t at) const noexcept {
    std::size_t last = at;
    while (last < text_.size() && is_number(text_[last]))
      ++last;
    if (last == at)
      ++last;
    while (last < text_.size() && (static_cast<unsigned char>(text_[last]) & 0xc0u) == 0x80u)
      ++last;
    return text_.substr(at, last - at);
  }

  std::string_view field_;
  std::string_view text_;
  std::size_t position_ = 0;
};

// A subtree and its height, so that the limit costs no walk.
struct Subtree {
  Node node;
  int height = 1;
};

class MaskParser {
 public:
  explicit MaskParser(std::string_view text) : reader_("mask", text) {}

  [[nodiscard]] Mask parse() {
    Subtree tree = either();
    if (!reader_.at_end())
      reader_.refuse_found(reader_.position(), "'&', '|' or the end is expected");
    Mask mask;
    if (tree.node.op != Op::all)
      mask.structure = make_structure(std::move(tree.node));
    mask.arguments = std::move(arguments_);
    return mask;
  }

 private:
  Subtree either() {
    Subtree left = both();
    while (reader_.accept('|'))
      left = joined(Op::either, std::move(left), both());
    return left;
  }

  Subtree both() {
    Subtree left = primary();
    while (reader_.accept('&'))
      left = joined(Op::both, std::move(left), primary());
    return left;
  }

  Subtree joined(Op op, Subtree left, Subtree right) {
    const int height = 1 + std::max(left.height, right.height);
    if (height > max_expression_depth)
      refuse_depth();
    Node node{.op = op};
    node.operands.reserve(2);
    node.operands.push_back(std::move(left.node));
    node.operands.push_back(std::move(right.node));
    return {.node = std::move(node), .height = height};
  }

  Subtree primary() {
    if (!reader_.accept('('))
      return {.node = helper()};
    if (++depth_ > max_expression_depth)
      refuse_depth();
    Subtree inner = either();
    reader_.expect(')', "or an operator");
    --depth_;
    return inner;
  }

  Node helper() {
    const std::size_t at = reader_.position();
    const std::string_view word = reader_.take(is_word);
    const auto* const found = std::ranges::find(mask_helpers, word, &Helper::name);
    if (found == mask_helpers.end())
      reader_.refuse_found(at, fmt::format("{} is expected", mask_words));

    if (found->op == Op::all) {
      if (reader_.accept('('))
        reader_.expect(')', "after 'all('");
      return Node{.op = Op::all};
    }
    reader_.expect('(', fmt::format("of {}", found->usage));
    read_arguments(*found);
    return Node{.op = found->op};
  }

  void read_arguments(const Helper& helper) {
    const std::size_t wanted = helper.parameter_count();
    std::size_t count = 0;
    if (!reader_.accept(')')) {
      do {
        if (count == wanted) {
          reader_.refuse_found(reader_.position(), fmt::format("{} takes no{} arguments: ')' is expected", helper.usage,
                                                               wanted == 0 ? "" : " more"));
        }
        add_argument(helper, helper.parameters[count]);
        ++count;
      } while (reader_.accept(','));
      reader_.expect(')', count < wanted ? "or ','" : fmt::format("after the arguments of {}", helper.usage));
    }
    if (count == wanted)
      return;
    reader_.refuse(fmt::format("{} takes {} argument{}, {} found before character {}", helper.usage, wanted,
                               wanted == 1 ? "" : "s", count, reader_.position() + 1));
  }

  void add_argument(const Helper& helper, std::string_view parameter) {
    const std::size_t at = reader_.position();
    const std::string what = fmt::format("{} of {}", parameter, helper.usage);
    const std::string_view word = reader_.take(is_number);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error == std::errc::invalid_argument || end != word.data() + word.size()) {
      reader_.refuse_found(at, what + " must be a whole number");
    }
    if (error == std::errc::result_out_of_range)
      reader_.refuse_found(at, what + " must fit 64 bits");
    if (value < 0)
      reader_.refuse_found(at, what + " must be 0 or more");
    if (arguments_.size() == static_cast<std::size_t>(max_mask_slots)) {
      reader_.refuse_found(at, fmt::format("a mask has at most {} arguments; one more stands", max_mask_slots));
    }
    arguments_.push_back(std::min(value, max_mask_argument));
  }

  [[noreturn]] void refuse_depth() const {
    reader_.refuse(fmt::format("a mask nests at most {} deep, exceeded before character {}", max_expression_depth,
                               reader_.position() + 1));
  }

  Reader reader_;
  int depth_ = 0;
  std::vector<std::int64_t> arguments_;  // in the order of the text, which is that of the slots
};

double read_cap(Reader& reader) {
  const std::size_t at = reader.position();
  const std::string_view word = reader.take(is_number);
  double cap = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), cap);
  if (error == std::errc::invalid_argument || end != word.data() + word.size()) {
    reader.refuse_found(at, "cap of softcap(cap) must be a number");
  }
  if (error != std::errc{} || !std::isfinite(cap) || cap <= 0) {
    reader.refuse_found(at, "cap of softcap(cap) must be finite and greater than 0");
  }
  if (cap < smallest_cap || cap > largest_cap) {
    reader.refuse_found(at, "cap of softcap(cap) must lie between 1e-18 and 1e18");
  }
  return cap;
}

}  // namespace

Mask parse_mask(std::string_view text) { return MaskParser(text).parse(); }

Score parse_score(std::string_view text) {
  Reader reader("score", text);
  const std::size_t at = reader.position();
  const std::string_view word = reader.take(is_word);
  Score score;
  if (word == "softcap") {
    reader.expect('(', "of softcap(cap)");
    const double cap = read_cap(reader);
    reader.expect(')', "after the cap");
    score.structure = make_structure(Node{.op = Op::softcap, .literal = cap});
  } else if (word != "score") {
    reader.refuse_found(at, fmt::format("{} is expected", score_words));
  }
  if (!reader.at_end())
    reader.refuse_found(reader.position(), "the end is expected");
  return score;
}

}  // namespace attentune
