// Statistics of samples of one time, and the decision between two kernels timed in turns. Pure.
#pragma once

#include <span>

namespace attentune {

// Linear interpolation between order statistics, 0 <= q <= 1; 0 for no samples.
[[nodiscard]] double quantile(std::span<const double> samples, double q);
[[nodiscard]] double median(std::span<const double> samples);

struct TimeSummary {
  double median = 0;
  double spread = 0;  // (p80 - p20) / median
  int samples = 0;
};
[[nodiscard]] TimeSummary summarize(std::span<const double> samples);

// Champion and challenger sampled in turns; sample n of one stands next to sample n of the other in time, so their
// ratio is free of slow drift (clock, temperature, a neighbour on the machine).
struct PairedDecision {
  double ratio = 1;  // median of challenger / champion
  int pairs = 0;
  int faster = 0;                // pairs in which the challenger was faster by more than the margin
  bool challenger_wins = false;  // so many that it is no chance
};
[[nodiscard]] PairedDecision decide(std::span<const double> champion, std::span<const double> challenger,
                                    double margin);

}  // namespace attentune
