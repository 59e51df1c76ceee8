// BucketKey: a Bucket in a fixed array, so that a lookup allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "generator/bucket.h"
#include "generator/problem.h"

namespace attentune {

struct BucketKey {
  static constexpr std::size_t capacity = 4 + max_mask_slots;
  std::array<std::int64_t, capacity> sizes{};  // batch, heads_kv, len_q, len_kv, window widths; rest 0
  std::uint64_t hash = 0;                      // of sizes

  bool operator==(const BucketKey&) const = default;
};

// Equal iff the Buckets are. Nothing for sizes no Problem has (negative ones, no head): refusal() says which.
[[nodiscard]] std::optional<BucketKey> bucket_key(const Problem& problem) noexcept;

}  // namespace attentune
