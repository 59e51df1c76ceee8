// The table of fields: names, text, and how far each reaches (DESIGN promise 2). One row a field; nothing else decides
// what enters a key, and class_hash/same_class (key.cpp) are tested against it field by field.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "generator/bucket.h"
#include "generator/problem.h"
#include "generator/text.h"

namespace attentune {
namespace {

using Text = std::string;
using Value = std::string_view;

constexpr std::array<std::string_view, 1> pass_names{"forward"};
constexpr std::array<std::string_view, 3> layout_names{"dense", "varlen", "paged"};

[[noreturn]] void refuse(std::string_view field, Value value, std::string_view limit, std::string_view remedy) {
  throw RefusalError({Text(field), shown(value), Text(limit), Text(remedy)});
}

template <typename Enum, std::size_t size>
Enum parse_name(std::string_view field, Value value, const std::array<std::string_view, size>& names) {
  for (std::size_t n = 0; n < size; ++n) {
    if (names[n] == value)
      return static_cast<Enum>(n);
  }
  refuse(field, value, "it is no known value", fmt::format("use one of {}", fmt::join(names, " ")));
}

Dtype parse_dtype_field(std::string_view field, Value value) {
  if (const auto dtype = parse_dtype(value))
    return *dtype;
  refuse(field, value, "it is no known dtype", "use one of f32 f16 bf16 e4m3 e5m2");
}

std::int64_t parse_integer(std::string_view field, Value value) {
  if (const auto number = parse_number<std::int64_t>(value))
    return *number;
  refuse(field, value, "it must be a whole number", fmt::format("for example {}=2", field));
}

std::pair<std::int64_t, std::int64_t> parse_pair_field(std::string_view field, Value value, std::string_view remedy) {
  if (const auto pair = parse_pair(value))
    return *pair;
  refuse(field, value, "it must be a whole number or two of them as a/b", remedy);
}

bool parse_flag(std::string_view field, Value value) {
  if (value == "yes")
    return true;
  if (value == "no")
    return false;
  refuse(field, value, "it must be yes or no", fmt::format("for example {}=yes", field));
}

Dtype default_out(Dtype q) { return is_fp8(q) ? Dtype::bf16 : q; }

Text named(std::string_view name, const Text& value) {
  return value.empty() ? Text() : fmt::format("{}={}", name, value);
}
Text none(const Problem&) { return {}; }

Text pass_text(const Problem& p) {
  return p.pass == Pass::forward ? Text() : Text(pass_names[static_cast<std::size_t>(p.pass)]);
}
void pass_parse(Problem& p, Value v) { p.pass = parse_name<Pass>("pass", v, pass_names); }
Text pass_class(const Problem& p) { return named("pass", pass_text(p)); }

Text q_text(const Problem& p) { return Text(name(p.q)); }
void q_parse(Problem& p, Value v) {
  p.q = p.k = p.v = parse_dtype_field("dtype", v);
  p.out = default_out(p.q);
}
Text q_class(const Problem& p) { return named("dtype", q_text(p)); }

Text k_text(const Problem& p) { return p.k == p.q ? Text() : Text(name(p.k)); }
void k_parse(Problem& p, Value v) { p.k = parse_dtype_field("k", v); }
Text k_class(const Problem& p) { return named("k", k_text(p)); }

Text v_text(const Problem& p) { return p.v == p.q ? Text() : Text(name(p.v)); }
void v_parse(Problem& p, Value v) { p.v = parse_dtype_field("v", v); }
Text v_class(const Problem& p) { return named("v", v_text(p)); }

Text out_text(const Problem& p) { return p.out == default_out(p.q) ? Text() : Text(name(p.out)); }
void out_parse(Problem& p, Value v) { p.out = parse_dtype_field("out", v); }
Text out_class(const Problem& p) { return named("out", out_text(p)); }

Text batch_text(const Problem& p) { return p.batch == 1 ? Text() : fmt::format("{}", p.batch); }
void batch_parse(Problem& p, Value v) { p.batch = parse_integer("batch", v); }
Text batch_bucket(const Problem& p) { return fmt::format("batch={}", round_to_bucket(p.batch)); }

Text heads_text(const Problem& p) { return pair_text(p.heads_q, p.heads_kv); }
void heads_parse(Problem& p, Value v) {
  std::tie(p.heads_q, p.heads_kv) = parse_pair_field("heads", v, "for example heads=32/8 or heads=16");
}
Text heads_class(const Problem& p) { return p.group() == 1 ? Text() : fmt::format("group={}", p.group()); }
Text heads_bucket(const Problem& p) { return fmt::format("heads_kv={}", round_to_bucket(p.heads_kv)); }

Text dim_text(const Problem& p) { return pair_text(p.head_dim_qk, p.head_dim_v); }
void dim_parse(Problem& p, Value v) {
  std::tie(p.head_dim_qk, p.head_dim_v) =
      parse_pair_field("head_dim", v, "for example head_dim=128 or head_dim=192/128");
}
Text dim_class(const Problem& p) { return named("head_dim", dim_text(p)); }

Text seq_text(const Problem& p) { return pair_text(p.len_q, p.len_kv); }
void seq_parse(Problem& p, Value v) {
  std::tie(p.len_q, p.len_kv) = parse_pair_field("seq", v, "for example seq=4096 or seq=1/8192");
}
Text seq_bucket(const Problem& p) {
  return named("seq", pair_text(round_to_bucket(p.len_q), round_to_bucket(p.len_kv)));
}

Text mask_text(const Problem& p) { return p.mask.is_all() ? Text() : to_text(p.mask); }
void mask_parse(Problem& p, Value v) { p.mask = parse_mask(v); }
Text mask_class(const Problem& p) { return p.mask.is_all() ? Text() : named("mask", p.mask.structure->text); }
Text mask_bucket(const Problem& p) {
  return named("window", fmt::format("{}", fmt::join(bucket_of(p).window_widths, ",")));
}

Text score_text(const Problem& p) { return p.score.is_identity() ? Text() : to_text(p.score); }
void score_parse(Problem& p, Value v) { p.score = parse_score(v); }
Text score_class(const Problem& p) { return named("score", score_text(p)); }

Text layout_text(const Problem& p) {
  return p.layout == Layout::dense ? Text() : Text(layout_names[static_cast<std::size_t>(p.layout)]);
}
void layout_parse(Problem& p, Value v) { p.layout = parse_name<Layout>("layout", v, layout_names); }
Text layout_class(const Problem& p) { return named("layout", layout_text(p)); }

Text page_text(const Problem& p) { return p.page_size == 0 ? Text() : fmt::format("{}", p.page_size); }
void page_parse(Problem& p, Value v) { p.page_size = parse_integer("page_size", v); }
Text page_class(const Problem& p) { return named("page_size", page_text(p)); }

Text outputs_text(const Problem& p) { return p.lse ? "out,lse" : Text(); }
void outputs_parse(Problem& p, Value v) {
  if (v != "out" && v != "out,lse")
    refuse("outputs", v, "it is no known set of outputs", "use out or out,lse");
  p.lse = v == "out,lse";
}
Text outputs_class(const Problem& p) { return named("outputs", outputs_text(p)); }

Text sink_text(const Problem& p) { return p.sink_logit ? "yes" : Text(); }
void sink_parse(Problem& p, Value v) { p.sink_logit = parse_flag("sink_logit", v); }
Text sink_class(const Problem& p) { return named("sink_logit", sink_text(p)); }

Text align_text(const Problem& p) { return p.alignment == 16 ? Text() : fmt::format("{}", p.alignment); }
void align_parse(Problem& p, Value v) { p.alignment = parse_integer("align", v); }
Text align_class(const Problem& p) { return named("align", align_text(p)); }

Text scale_text(const Problem& p) { return p.scale ? fmt::format("{}", *p.scale) : Text(); }
void scale_parse(Problem& p, Value v) {
  const auto number = parse_number<double>(v);
  if (!number || !std::isfinite(*number))
    refuse("scale", v, "it must be a finite number", "for example scale=0.125");
  p.scale = number;
}

}  // namespace

const std::vector<ProblemField>& problem_fields() {
  static const std::vector<ProblemField> table{
      {"pass", "forward", pass_text, pass_parse, pass_class, none},
      {"dtype", "element type of Q: f32 f16 bf16 e4m3 e5m2; K, V and out follow", q_text, q_parse, q_class, none},
      {"k", "element type of K", k_text, k_parse, k_class, none},
      {"v", "element type of V", v_text, v_parse, v_class, none},
      {"out", "element type of the output", out_text, out_parse, out_class, none},
      {"batch", "sequences", batch_text, batch_parse, none, batch_bucket},
      {"heads", "query heads / KV heads", heads_text, heads_parse, heads_class, heads_bucket},
      {"head_dim", "head dim of Q and K / of V", dim_text, dim_parse, dim_class, none},
      {"seq", "query length / KV length", seq_text, seq_parse, none, seq_bucket},
      {"mask", "which keys a row sees: causal() window(left,right) sink(n) & | ( )", mask_text, mask_parse, mask_class,
       mask_bucket},
      {"score", "what becomes of a scaled score: softcap(cap)", score_text, score_parse, score_class, none},
      {"layout", "dense varlen paged", layout_text, layout_parse, layout_class, none},
      {"page_size", "keys a page, with layout=paged", page_text, page_parse, page_class, none},
      {"outputs", "out or out,lse", outputs_text, outputs_parse, outputs_class, none},
      {"sink_logit", "yes: a logit per query head joins the softmax's denominator", sink_text, sink_parse, sink_class,
       none},
      {"align", "guaranteed alignment of every row in bytes: 16 8 4 2 1", align_text, align_parse, align_class, none},
      {"scale", "factor of QK^T; default 1/sqrt(head dim)", scale_text, scale_parse, none, none},
  };
  return table;
}

}  // namespace attentune
