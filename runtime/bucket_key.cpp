#include "runtime/bucket_key.h"

namespace attentune {

std::optional<BucketKey> bucket_key(const Problem& problem) noexcept {
  // Non-negative iff no sign bit is set in any of them.
  if (problem.heads_kv < 1 || (problem.batch | problem.len_q | problem.len_kv) < 0) {
    return std::nullopt;
  }
  const std::vector<SlotKind>& slots = problem.mask.structure->slots;
  if (slots.size() != problem.mask.arguments.size() || slots.size() > max_mask_slots) {
    return std::nullopt;
  }
  BucketKey key;
  key.sizes[0] = round_to_bucket(problem.batch);
  key.sizes[1] = round_to_bucket(problem.heads_kv);
  key.sizes[2] = round_to_bucket(problem.len_q);
  key.sizes[3] = round_to_bucket(problem.len_kv);
  std::size_t used = 4;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot] == SlotKind::window_width) {
      key.sizes[used++] = round_to_bucket(problem.mask.arguments[slot]);
    }
  }
  // FNV-1a's step on whole words, then a fold: sizes differ in few high bits, tables index by low ones.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t n = 0; n < used; ++n) {
    hash = (hash ^ static_cast<std::uint64_t>(key.sizes[n])) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 32;
  }
  key.hash = hash;
  return key;
}

}  // namespace attentune
