// Takes samples of a call's time: each lasts long enough for the clock, all together no longer than a limit.
#pragma once

#include <functional>
#include <vector>

namespace attentune {

struct SamplePlan {
  int samples = 15;
  double minimum_ms = 2;   // a sample repeats the call until it lasts at least this long
  double limit_ms = 3000;  // no further sample is begun after this, once there are `least`
  int least = 1;
};

// Milliseconds from any fixed origin; a test supplies its own.
using MillisecondClock = std::function<double()>;
[[nodiscard]] double monotonic_ms();

// How many calls make one sample, found by doubling; the calls it makes also warm caches and clocks.
[[nodiscard]] int calls_per_sample(const std::function<void()>& call, double minimum_ms, const MillisecondClock& now);
// Milliseconds of one call, averaged over `calls` calls.
[[nodiscard]] double sample(const std::function<void()>& call, int calls, const MillisecondClock& now);
[[nodiscard]] std::vector<double> take_samples(const std::function<void()>& call, const SamplePlan& plan,
                                               const MillisecondClock& now);

// Two calls in turns, A B B A A B B A ..., so that a drift weighs equally on both.
struct RaceSamples {
  std::vector<double> a;
  std::vector<double> b;
};
[[nodiscard]] RaceSamples take_race(const std::function<void()>& a, const std::function<void()>& b,
                                    const SamplePlan& plan, const MillisecondClock& now);

}  // namespace attentune
