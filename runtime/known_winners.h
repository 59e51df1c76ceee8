// KnownWinners: what the Store remembers about one class on one Device, as it was when it was last read.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/store.h"
#include "generator/bucket.h"
#include "generator/winner.h"
#include "runtime/device.h"
#include "runtime/rendering.h"

namespace attentune {

// A Winner that can be used today.
struct UsableWinner {
  Winner winner;
  Bucket bucket;
  Rendering rendering;
  bool current = false;  // rendering.key is the key that was measured
};

class KnownWinners {
 public:
  KnownWinners() = default;
  // Reads the Store. Rows whose bucket cannot be read are left out.
  KnownWinners(const Store& store, const Problem& problem, const Device& device, std::string_view policy);

  // The Winner of exactly this bucket, current or stale; nothing when there is none or its Config left the space.
  [[nodiscard]] std::optional<UsableWinner> exact(const Problem& problem, const Device& device) const;
  // The nearest bucket whose Winner is current; the nearest whose Winner is stale.
  [[nodiscard]] std::optional<UsableWinner> nearest_current(const Problem& problem, const Device& device) const;
  [[nodiscard]] std::optional<UsableWinner> nearest_stale(const Problem& problem, const Device& device) const;

 private:
  struct Row {
    Bucket bucket;
    Winner winner;
  };
  [[nodiscard]] std::vector<const Row*> by_distance(const Problem& problem) const;
  [[nodiscard]] std::optional<UsableWinner> nearest(const Problem& problem, const Device& device, bool current) const;

  std::vector<Row> rows_;
};

}  // namespace attentune
