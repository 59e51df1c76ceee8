// History: what the Store knows about a bucket before a tune begins.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/records.h"
#include "cache/store.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/measurement.h"
#include "generator/problem.h"
#include "runtime/device.h"

namespace attentune {

class History {
 public:
  History(const Store& store, const TuningKey& key, const Problem& problem,
          const std::vector<const KernelFamily*>& families, const Device& device);

  // Configs of `families` to try right after the defaults: this bucket's Winner, current or stale, then Winners of
  // other buckets of the class, nearest first.
  [[nodiscard]] const std::vector<FamilyConfig>& preferred() const noexcept { return preferred_; }
  // The bucket's Winner, when today's generator and compiler reproduce its Binary.
  [[nodiscard]] const std::optional<Measurement>& incumbent() const noexcept { return incumbent_; }

  // The latest verified time of exactly this Binary and Config at this problem; nullptr when there is none.
  [[nodiscard]] const Measurement* measured(const std::string& binary_key, const std::string& config) const;
  // Settled before: measured, wrong, refused, or a crash or hang that happened twice. A tune need not try it again.
  [[nodiscard]] bool settled(const std::string& binary_key, const std::string& config) const;

 private:
  struct Known {
    std::optional<Measurement> timed;
    bool rejected = false;
    int failures = 0;  // faulted or timed out
  };
  std::map<std::pair<std::string, std::string>, Known> known_;  // binary key, config
  std::vector<FamilyConfig> preferred_;
  std::optional<Measurement> incumbent_;
};

}  // namespace attentune
