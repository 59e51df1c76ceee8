#include "tuner/sampler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace attentune {

namespace {

bool more_wanted(const SamplePlan& plan, const std::size_t taken, const double elapsed_ms) {
  const int count = static_cast<int>(taken);
  return count < plan.least || (count < plan.samples && elapsed_ms < plan.limit_ms);
}

}  // namespace

double monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

double sample(const std::function<void()>& call, const int calls, const MillisecondClock& now) {
  const double start = now();
  for (int n = 0; n < calls; ++n) {
    call();
  }
  return (now() - start) / calls;
}

int calls_per_sample(const std::function<void()>& call, const double minimum_ms, const MillisecondClock& now) {
  constexpr int most = 1 << 20;
  int calls = 1;
  while (calls < most) {
    const double total = sample(call, calls, now) * calls;
    if (total >= minimum_ms) {
      break;
    }
    // Jump close to the goal at once, but at most eightfold: the first calls run cold and overstate their time.
    const double wanted = total > 0 ? std::ceil(calls * minimum_ms / total) : calls * 8.0;
    calls = static_cast<int>(std::clamp(wanted, calls + 1.0, std::min(calls * 8.0, static_cast<double>(most))));
  }
  return calls;
}

std::vector<double> take_samples(const std::function<void()>& call, const SamplePlan& plan,
                                 const MillisecondClock& now) {
  const double start = now();
  const int calls = calls_per_sample(call, plan.minimum_ms, now);
  std::vector<double> samples;
  do {
    samples.push_back(sample(call, calls, now));
  } while (more_wanted(plan, samples.size(), now() - start));
  return samples;
}

RaceSamples take_race(const std::function<void()>& a, const std::function<void()>& b, const SamplePlan& plan,
                      const MillisecondClock& now) {
  const double start = now();
  const int calls_a = calls_per_sample(a, plan.minimum_ms, now);
  const int calls_b = calls_per_sample(b, plan.minimum_ms, now);
  RaceSamples race;
  do {
    if (race.a.size() % 2 == 0) {
      race.a.push_back(sample(a, calls_a, now));
      race.b.push_back(sample(b, calls_b, now));
    } else {
      race.b.push_back(sample(b, calls_b, now));
      race.a.push_back(sample(a, calls_a, now));
    }
  } while (more_wanted(plan, race.a.size(), now() - start));
  return race;
}

}  // namespace attentune
