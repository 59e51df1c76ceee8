#include "generator/bucket.h"

#include <array>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::int64_t largest_bucket = std::int64_t{1} << 62;

double log_distance(std::int64_t a, std::int64_t b) noexcept {
  return std::abs(std::log2(static_cast<double>(a) + 1) - std::log2(static_cast<double>(b) + 1));
}

[[noreturn]] void refuse(std::string_view text) {
  throw RefusalError({"bucket", shown(text), "expected batch=, heads_kv=, seq= and, for windows, window=",
                      "write it as `attentune cache list` prints it"});
}

std::int64_t parse_size(std::string_view value, std::string_view text) {
  const auto size = parse_number<std::int64_t>(value);
  if (!size)
    refuse(text);
  return *size;
}

std::vector<std::int64_t> parse_widths(std::string_view value, std::string_view text) {
  std::vector<std::int64_t> widths;
  while (true) {
    const std::size_t comma = value.find(',');
    widths.push_back(parse_size(value.substr(0, comma), text));
    if (comma == std::string_view::npos)
      return widths;
    value = value.substr(comma + 1);
  }
}

}  // namespace

std::int64_t round_to_bucket(std::int64_t value) noexcept {
  if (value <= 2)
    return value < 0 ? 0 : value;
  std::int64_t power = 2;
  while (power < largest_bucket) {
    if (value <= power)
      return power;
    if (value <= power + power / 2)
      return power + power / 2;
    power *= 2;
  }
  return largest_bucket;
}

Bucket bucket_of(const Problem& problem) {
  Bucket bucket{.batch = round_to_bucket(problem.batch),
                .heads_kv = round_to_bucket(problem.heads_kv),
                .len_q = round_to_bucket(problem.len_q),
                .len_kv = round_to_bucket(problem.len_kv),
                .window_widths = {}};
  const std::vector<SlotKind>& slots = problem.mask.structure->slots;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot] == SlotKind::window_width) {
      bucket.window_widths.push_back(round_to_bucket(problem.mask.arguments[slot]));
    }
  }
  return bucket;
}

Problem representative(const Problem& problem) {
  const Bucket bucket = bucket_of(problem);
  Problem result = problem;
  result.batch = bucket.batch;
  result.heads_kv = bucket.heads_kv;
  result.heads_q = bucket.heads_kv * problem.group();
  result.len_q = bucket.len_q;
  result.len_kv = bucket.len_kv;
  const std::vector<SlotKind>& slots = problem.mask.structure->slots;
  std::size_t width = 0;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot] == SlotKind::window_width)
      result.mask.arguments[slot] = bucket.window_widths[width++];
  }
  return result;
}

std::string to_text(const Bucket& bucket) {
  std::string text =
      fmt::format("batch={} heads_kv={} seq={}", bucket.batch, bucket.heads_kv, pair_text(bucket.len_q, bucket.len_kv));
  if (!bucket.window_widths.empty())
    text += fmt::format(" window={}", fmt::join(bucket.window_widths, ","));
  return text;
}

Bucket parse_bucket(std::string_view text) {
  Bucket bucket;
  for (const Word& word : split_words(text, "bucket")) {
    if (word.name == "window") {
      bucket.window_widths = parse_widths(word.value, text);
    } else if (word.name == "batch") {
      bucket.batch = parse_size(word.value, text);
    } else if (word.name == "heads_kv") {
      bucket.heads_kv = parse_size(word.value, text);
    } else if (const auto lengths = parse_pair(word.value); lengths && word.name == "seq") {
      std::tie(bucket.len_q, bucket.len_kv) = *lengths;
    } else {
      refuse(text);
    }
  }
  return bucket;
}

double distance(const Bucket& a, const Bucket& b) noexcept {
  double sum = log_distance(a.batch, b.batch) + log_distance(a.heads_kv, b.heads_kv) + log_distance(a.len_q, b.len_q) +
               log_distance(a.len_kv, b.len_kv);
  const std::size_t common = std::min(a.window_widths.size(), b.window_widths.size());
  for (std::size_t w = 0; w < common; ++w)
    sum += log_distance(a.window_widths[w], b.window_widths[w]);
  return sum;
}

}  // namespace attentune
