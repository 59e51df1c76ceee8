// Takes samples of a call's time: each lasts long enough for the clock, all together no longer than a limit.
#pragma once

#include <functional>
#include <vector>

namespace attentune {

struct SamplePlan {
  int samples = 15;
  double minimum_ms = 2;   // a sample repeats the call until it lasts at least this long
  double limit_ms = 3000;  // of calls; no further sample is begun after this, once there are `least`
  int least = 1;
};

// Milliseconds from a fixed origin, by this machine's clock.
[[nodiscard]] double monotonic_ms();

// Makes that many calls and says how many milliseconds they took together: Binding::time_ms, or a test's own.
using TimeCalls = std::function<double(int calls)>;

// How many calls make one sample, found by doubling; the calls it makes also warm caches and clocks.
[[nodiscard]] int calls_per_sample(const TimeCalls& time, double minimum_ms);
// Milliseconds of one call, a sample each.
[[nodiscard]] std::vector<double> take_samples(const TimeCalls& time, const SamplePlan& plan);

// Two calls in turns, A B B A A B B A ..., so that a drift weighs equally on both.
struct RaceSamples {
  std::vector<double> a;
  std::vector<double> b;
};
[[nodiscard]] RaceSamples take_race(const TimeCalls& a, const TimeCalls& b, const SamplePlan& plan);

}  // namespace attentune
