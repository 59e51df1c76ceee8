#include "tuner/time_stats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace attentune {

namespace {
constexpr double deviations = 2;  // one race in some forty between equals would be decided wrongly
}

double quantile(const std::span<const double> samples, const double q) {
  if (samples.empty()) {
    return 0;
  }
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

double median(const std::span<const double> samples) { return quantile(samples, 0.5); }

TimeSummary summarize(const std::span<const double> samples) {
  const double middle = median(samples);
  return {.median = middle,
          .spread = middle > 0 ? (quantile(samples, 0.8) - quantile(samples, 0.2)) / middle : 0,
          .samples = static_cast<int>(samples.size())};
}

PairedDecision decide(const std::span<const double> champion, const std::span<const double> challenger,
                      const double margin) {
  std::vector<double> ratios;
  for (std::size_t n = 0; n < std::min(champion.size(), challenger.size()); ++n) {
    if (champion[n] > 0 && challenger[n] > 0) {
      ratios.push_back(challenger[n] / champion[n]);
    }
  }
  if (ratios.empty()) {
    return {};
  }
  PairedDecision decision;
  decision.ratio = median(ratios);
  decision.pairs = static_cast<int>(ratios.size());
  decision.faster = static_cast<int>(std::ranges::count_if(ratios, [&](const double r) { return r < 1 - margin; }));
  // The sign test: times have long tails, and it asks nothing of their distribution. If the challenger were no faster
  // than the margin, each pair would be a coin's throw: n/2 heads, standard deviation sqrt(n)/2.
  const double pairs = decision.pairs;
  decision.challenger_wins = decision.faster >= pairs / 2 + deviations * std::sqrt(pairs) / 2;
  return decision;
}

}  // namespace attentune
