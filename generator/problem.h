// Problem: what to compute. No tuning choice is in it. Semantics: DESIGN section 4.
//
// Canonical text is one line of field=value words in the order of the field table (problem_fields.cpp); fields at their
// default are left out, so that a field added later keeps old text and keys:
//
//   dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()
//
//   pass      forward (default)
//   dtype     of Q; k, v and out follow unless k=, v=, out= say otherwise (out of fp8 defaults to bf16)
//   batch     default 1
//   heads     query heads / KV heads; "heads=16" is 16/16
//   head_dim  of Q and K / of V; "head_dim=128" is 128/128
//   seq       query length / KV length; "seq=4096" is 4096/4096
//   mask, score   expressions (expression.h); defaults all and score
//   layout    dense (default), varlen, paged; page_size only with paged
//   outputs   out (default) or out,lse
//   sink_logit    no (default) or yes: a f32 per query head joins the softmax's denominator
//   align     guaranteed alignment in bytes of every row of Q, K, V and out: 16 (default), 8, 4, 2, 1
//   scale     default 1/sqrt(head_dim of Q)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/dtype.h"
#include "generator/error.h"
#include "generator/expression.h"

namespace attentune {

enum class Pass : std::uint8_t { forward };
enum class Layout : std::uint8_t { dense, varlen, paged };

struct Problem {
  Pass pass = Pass::forward;
  Dtype q = Dtype::bf16;
  Dtype k = Dtype::bf16;
  Dtype v = Dtype::bf16;
  Dtype out = Dtype::bf16;
  std::int64_t batch = 1;
  std::int64_t heads_q = 1;
  std::int64_t heads_kv = 1;
  std::int64_t head_dim_qk = 64;
  std::int64_t head_dim_v = 64;
  std::int64_t len_q = 1;
  std::int64_t len_kv = 1;
  Mask mask;
  Score score;
  Layout layout = Layout::dense;
  std::int64_t page_size = 0;
  bool lse = false;
  bool sink_logit = false;
  std::int64_t alignment = 16;
  std::optional<double> scale;

  bool operator==(const Problem&) const = default;

  // heads_q / heads_kv, the G of the class.
  [[nodiscard]] std::int64_t group() const noexcept { return heads_q / heads_kv; }
  // len_kv - len_q: bottom-right alignment of causal and window.
  [[nodiscard]] std::int64_t shift() const noexcept { return len_kv - len_q; }
  // scale, or 1/sqrt(head_dim_qk).
  [[nodiscard]] double effective_scale() const noexcept;
};

// How far a field reaches (DESIGN promise 2): into the binary key, only into the tuning key, or into no key.
enum class Reach : std::uint8_t { class_, bucket, launch };

// One row a field: the table of reach, printing and parsing. A field can have parts of different reach (heads: the
// ratio is class, heads_kv is bucket), so `class_text` and `bucket_text` say what enters each key ("" = nothing).
struct ProblemField {
  std::string_view name;
  std::string_view meaning;                         // one phrase for --help
  std::string (*print)(const Problem&);             // value text, "" when at its default
  void (*parse)(Problem&, std::string_view value);  // throws RefusalError
  std::string (*class_text)(const Problem&);        // part in the binary key, "" when default or none
  std::string (*bucket_text)(const Problem&);       // part in the tuning key, rounded, "" when default or none
};
[[nodiscard]] const std::vector<ProblemField>& problem_fields();

// Text to value. Words in any order, each at most once; values may be quoted with ' or ", and blanks inside parentheses
// and beside & or | need no quotes. Throws RefusalError. The result has passed refusal().
[[nodiscard]] Problem parse_problem(std::string_view text);
// Canonical text; parse_problem(to_text(p)) == p for every p that refusal() lets pass.
[[nodiscard]] std::string to_text(const Problem& problem);

// Why no device whatsoever could serve this problem: signs, ratios, limits of the grammar. Nothing when it is sound.
[[nodiscard]] std::optional<Refusal> refusal(const Problem& problem);

// Multiply-add pairs counted twice, over visible keys only (exact count for any mask, O(len_q)): 2*(d_qk + d_v) each.
[[nodiscard]] double flops(const Problem& problem);
// Bytes that must move at least once: Q, K, V read, out (and LSE) written.
[[nodiscard]] double bytes(const Problem& problem);

}  // namespace attentune
