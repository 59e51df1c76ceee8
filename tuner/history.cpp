#include "tuner/history.h"

#include <algorithm>
#include <tuple>

#include "generator/bucket.h"
#include "generator/error.h"
#include "runtime/rendering.h"

namespace attentune {

namespace {

// So many crashes or hangs of one Binary put it into quarantine: once may have been the machine.
constexpr int failures_allowed = 1;
constexpr std::size_t neighbours = 3;

// The Config of a stored text, if it is still a point of the space.
std::optional<Config> still_in_space(const std::string& text, const ConfigSpace& space) {
  try {
    Config config = parse_config(text);
    return space.why_not(config) ? std::nullopt : std::optional(std::move(config));
  } catch (const RefusalError&) {
    return std::nullopt;
  }
}

std::vector<Winner> nearest_first(std::vector<Winner> winners, const Problem& problem) {
  const Bucket here = bucket_of(problem);
  std::vector<std::pair<double, Winner>> ranked;
  for (Winner& winner : winners) {
    try {
      const double away = distance(parse_bucket(winner.bucket_text), here);
      if (away > 0) {
        ranked.emplace_back(away, std::move(winner));
      }
    } catch (const RefusalError&) {
      // A row of a later grammar is no neighbour.
    }
  }
  std::ranges::sort(ranked, {}, [](const auto& entry) { return std::tie(entry.first, entry.second.bucket_text); });
  std::vector<Winner> sorted;
  sorted.reserve(ranked.size());
  for (auto& [away, winner] : ranked) {
    sorted.push_back(std::move(winner));
  }
  return sorted;
}

}  // namespace

History::History(const Store& store, const TuningKey& key, const Problem& problem,
                 const std::vector<const KernelFamily*>& families, const Device& device) {
  const std::string text = to_text(problem);
  for (const Measurement& row : store.measurements_of(key)) {
    Known& known = known_[{row.binary_key, row.config}];
    switch (row.outcome) {
      case Outcome::ok:
        // A time taken at another shape of the bucket ranks nothing here.
        if (row.verified && row.problem == text) {
          known.timed = row;
        }
        break;
      case Outcome::wrong:
      case Outcome::refused:
      case Outcome::compile_failed:
        known.rejected = true;
        break;
      case Outcome::faulted:
      case Outcome::timed_out:
        ++known.failures;
        break;
    }
  }

  const auto prefer = [&](const Winner& winner) -> std::optional<FamilyConfig> {
    const auto family = std::ranges::find(families, winner.measurement.family, &KernelFamily::name);
    if (family == families.end()) {
      return std::nullopt;
    }
    std::optional<Config> config = still_in_space(winner.measurement.config, (*family)->space(problem, device.arch()));
    if (!config) {
      return std::nullopt;
    }
    preferred_.push_back({.family = *family, .config = *std::move(config)});
    return preferred_.back();
  };
  if (const auto winner = store.find_winner(key)) {
    if (const auto same = prefer(*winner)) {
      if (render(*same->family, problem, same->config, device.arch(), device.compiler()).key ==
          winner->measurement.binary_key) {
        incumbent_ = winner->measurement;
      }
    }
  }
  const auto others = nearest_first(store.winners_of_class(key.class_text, key.device, key.policy), problem);
  for (std::size_t n = 0; n < std::min(others.size(), neighbours); ++n) {
    (void)prefer(others[n]);
  }
}

const Measurement* History::measured(const std::string& binary_key, const std::string& config) const {
  const auto found = known_.find({binary_key, config});
  return found != known_.end() && found->second.timed ? &*found->second.timed : nullptr;
}

bool History::settled(const std::string& binary_key, const std::string& config) const {
  const auto found = known_.find({binary_key, config});
  return found != known_.end() &&
         (found->second.timed || found->second.rejected || found->second.failures > failures_allowed);
}

}  // namespace attentune
