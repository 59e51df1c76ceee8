#include "generator/problem.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "generator/text.h"
#include "generator/visible_keys.h"

namespace attentune {
namespace {

// Sizes far beyond any machine are refused early, so that products of them cannot overflow 64 bits.
constexpr std::int64_t largest_size = std::int64_t{1} << 40;
constexpr double largest_elements = 0x1p56;
constexpr double smallest_scale = 1e-18;
constexpr double largest_scale = 1e18;

constexpr std::string_view required_fields[] = {"dtype", "heads", "head_dim", "seq"};
constexpr std::string_view example = "dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()";

const ProblemField* find_field(std::string_view name) {
  for (const ProblemField& field : problem_fields()) {
    if (field.name == name)
      return &field;
  }
  return nullptr;
}

std::string field_names() {
  std::string names;
  for (const ProblemField& field : problem_fields())
    names += (names.empty() ? "" : " ") + std::string(field.name);
  return names;
}

struct SizeRow {
  std::string_view field;
  std::int64_t value;
  std::int64_t least;
};

}  // namespace

double Problem::effective_scale() const noexcept {
  return scale ? *scale : 1.0 / std::sqrt(static_cast<double>(head_dim_qk));
}

std::string to_text(const Problem& problem) {
  std::string text;
  for (const ProblemField& field : problem_fields()) {
    const std::string value = field.print(problem);
    if (value.empty())
      continue;
    if (!text.empty())
      text += ' ';
    text += fmt::format("{}={}", field.name, value);
  }
  return text;
}

Problem parse_problem(std::string_view text) {
  const std::vector<Word> words = split_fields(text, "problem");
  for (const Word& word : words) {
    if (find_field(word.name) == nullptr) {
      throw RefusalError({shown(word.name), shown(word.value), "a problem has no such field", "use: " + field_names()});
    }
    if (std::count_if(words.begin(), words.end(), [&](const Word& other) { return other.name == word.name; }) > 1) {
      throw RefusalError({word.name, shown(word.value), "the field is given twice", "give it once"});
    }
  }
  Problem problem;
  // In table order, whatever the order of the words: k, v and out start from what dtype said.
  for (const ProblemField& field : problem_fields()) {
    const auto word = std::find_if(words.begin(), words.end(), [&](const Word& w) { return w.name == field.name; });
    if (word != words.end()) {
      field.parse(problem, word->value);
    } else if (std::find(std::begin(required_fields), std::end(required_fields), field.name) !=
               std::end(required_fields)) {
      throw RefusalError(
          {std::string(field.name), "", "every problem needs it", fmt::format("for example: {}", example)});
    }
  }
  if (const auto reason = refusal(problem))
    throw RefusalError(*reason);
  return problem;
}

std::optional<Refusal> refusal(const Problem& p) {
  const SizeRow sizes[] = {
      {"batch", p.batch, 1},         {"heads", p.heads_q, 1}, {"heads", p.heads_kv, 1}, {"head_dim", p.head_dim_qk, 1},
      {"head_dim", p.head_dim_v, 1}, {"seq", p.len_q, 0},     {"seq", p.len_kv, 0},
  };
  for (const SizeRow& size : sizes) {
    if (size.value < size.least || size.value > largest_size) {
      return Refusal{std::string(size.field), fmt::format("{}", size.value),
                     fmt::format("it must be between {} and {}", size.least, largest_size),
                     fmt::format("for example: {}", example)};
    }
  }
  if (p.heads_q % p.heads_kv != 0) {
    const std::int64_t group = std::max<std::int64_t>(1, p.heads_q / p.heads_kv);
    return Refusal{"heads", pair_text(p.heads_q, p.heads_kv), "query heads must be a whole multiple of KV heads",
                   fmt::format("for example heads={}", pair_text(group * p.heads_kv, p.heads_kv))};
  }
  for (std::size_t slot = 0; slot < p.mask.arguments.size(); ++slot) {
    if (p.mask.arguments[slot] < 0) {
      return Refusal{"mask", to_text(p.mask), "window widths and sink counts must not be negative",
                     "use window(left,right) with left >= 0 and right >= 0"};
    }
  }
  if (p.layout == Layout::paged && p.page_size < 1) {
    return Refusal{"page_size", fmt::format("{}", p.page_size), "layout=paged needs a page size of at least 1",
                   "add page_size=16"};
  }
  if (p.layout != Layout::paged && p.page_size != 0) {
    return Refusal{"page_size", fmt::format("{}", p.page_size), "only layout=paged has pages", "leave it out"};
  }
  if (p.alignment < 1 || p.alignment > 16 || (p.alignment & (p.alignment - 1)) != 0) {
    return Refusal{"align", fmt::format("{}", p.alignment), "it must be 1, 2, 4, 8 or 16", "leave it out for 16"};
  }
  // Kernels take it as f32, and scores times it.
  if (p.scale && *p.scale != 0 && !(std::fabs(*p.scale) >= smallest_scale && std::fabs(*p.scale) <= largest_scale)) {
    return Refusal{"scale", fmt::format("{}", *p.scale), "its size must lie between 1e-18 and 1e18, or be 0",
                   "leave it out for 1/sqrt(head_dim)"};
  }
  const double rows = static_cast<double>(p.batch) * static_cast<double>(std::max<std::int64_t>(p.len_q, p.len_kv));
  const double widest =
      static_cast<double>(std::max(p.heads_q, p.heads_kv)) * static_cast<double>(std::max(p.head_dim_qk, p.head_dim_v));
  if (rows * widest > largest_elements) {
    return Refusal{"seq", pair_text(p.len_q, p.len_kv),
                   fmt::format("batch x heads x seq x head_dim is {:.3g}, more than 2^56 elements", rows * widest),
                   "use a smaller problem"};
  }
  return std::nullopt;
}

double flops(const Problem& p) {
  // Exact up to this many rows; beyond, rows are sampled evenly, which is exact to rounding for causal and windows.
  constexpr std::int64_t most_rows = std::int64_t{1} << 20;
  const std::int64_t step = (p.len_q + most_rows - 1) / most_rows;
  double pairs = 0;
  if (p.mask.is_all()) {
    pairs = static_cast<double>(p.len_q) * static_cast<double>(p.len_kv);
  } else {
    for (std::int64_t i = 0; i < p.len_q; i += step) {
      const std::int64_t rows = std::min(step, p.len_q - i);
      const std::int64_t middle = i + (rows - 1) / 2;
      pairs += static_cast<double>(rows) * static_cast<double>(visible_keys(p.mask, middle, p.shift(), p.len_kv));
    }
  }
  return 2.0 * static_cast<double>(p.head_dim_qk + p.head_dim_v) * static_cast<double>(p.batch * p.heads_q) * pairs;
}

double bytes(const Problem& p) {
  const auto operand = [&](std::int64_t rows, std::int64_t heads, std::int64_t dim, Dtype dtype) {
    return static_cast<double>(p.batch) * static_cast<double>(rows) * static_cast<double>(heads * dim) *
           static_cast<double>(size_of(dtype));
  };
  const double lse = p.lse ? operand(p.len_q, p.heads_q, 1, Dtype::f32) : 0;
  return operand(p.len_q, p.heads_q, p.head_dim_qk, p.q) + operand(p.len_kv, p.heads_kv, p.head_dim_qk, p.k) +
         operand(p.len_kv, p.heads_kv, p.head_dim_v, p.v) + operand(p.len_q, p.heads_q, p.head_dim_v, p.out) + lse;
}

}  // namespace attentune
