// Bucket: the sizes of a Problem rounded up, so that neighbours share a Winner (DESIGN section 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/problem.h"

namespace attentune {

// The smallest of 0, 1, 2, 3, 4, 6, 8, 12, ... (2^n or 1.5 * 2^n) not below value. value >= 0; saturates at 2^62.
[[nodiscard]] std::int64_t round_to_bucket(std::int64_t value) noexcept;

struct Bucket {
  std::int64_t batch = 1;
  std::int64_t heads_kv = 1;
  std::int64_t len_q = 1;
  std::int64_t len_kv = 1;
  std::vector<std::int64_t> window_widths;  // in slot order of the mask's structure

  bool operator==(const Bucket&) const = default;
};

[[nodiscard]] Bucket bucket_of(const Problem& problem);
// The problem with every bucketed size rounded up: what `tune` measures for the whole bucket.
[[nodiscard]] Problem representative(const Problem& problem);
// "batch=2 heads_kv=8 seq=4096/4096 window=1024,0"; the whole text of the bucket part of the tuning key.
[[nodiscard]] std::string to_text(const Bucket& bucket);
// The inverse of to_text; throws RefusalError.
[[nodiscard]] Bucket parse_bucket(std::string_view text);
// Distance in log2 space summed over the sizes; 0 iff equal. Used to find the nearest bucket of a class.
[[nodiscard]] double distance(const Bucket& a, const Bucket& b) noexcept;

}  // namespace attentune
