// KernelClass: all a Runtime knows about one class of Problems.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "generator/error.h"
#include "generator/problem.h"
#include "runtime/bucket_key.h"
#include "runtime/kernel_provider.h"
#include "runtime/known_winners.h"
#include "runtime/lookup_table.h"
#include "runtime/runtime.h"

namespace attentune {

// A Variant and the bucket it answers for. Immutable.
struct VariantEntry {
  std::uint64_t hash = 0;
  BucketKey key;
  Variant variant;
};

// One resolution of a miss; others of the class wait for it.
struct ClassFlight {
  BucketKey key;
  bool landed = false;
  std::unique_ptr<const Error> failure;
};

struct KernelClass {
  explicit KernelClass(const Problem& any) : problem(any) {}

  // The hot path: any thread, no lock.
  [[nodiscard]] const Variant* find(const BucketKey& key) const noexcept {
    const VariantEntry* const entry =
        variants.find(key.hash, [&](const VariantEntry& other) { return other.key.sizes == key.sizes; });
    return entry == nullptr ? nullptr : &entry->variant;
  }

  const Problem problem;  // any Problem of the class

  std::mutex mutex;  // guards all below; never held during a compile or a load
  std::condition_variable landed;
  std::shared_ptr<ClassFlight> flight;
  LookupTable<VariantEntry> variants;           // find() alone needs no lock
  std::shared_ptr<const KnownWinners> winners;  // null until the Store was read
};

// A class in the Runtime's table.
struct ClassEntry {
  std::uint64_t hash = 0;
  std::unique_ptr<KernelClass> value;
};

}  // namespace attentune
