#include "tuner/sampler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace attentune {

namespace {

// Times calls and sums up what all of them took.
class Stopwatch {
 public:
  double operator()(const TimeCalls& time, const int calls) {
    const double total = time(calls);
    elapsed_ms_ += total;
    return total;
  }
  [[nodiscard]] double elapsed_ms() const noexcept { return elapsed_ms_; }

 private:
  double elapsed_ms_ = 0;
};

bool more_wanted(const SamplePlan& plan, const std::size_t taken, const double elapsed_ms) {
  const int count = static_cast<int>(taken);
  return count < plan.least || (count < plan.samples && elapsed_ms < plan.limit_ms);
}

int calls_per_sample(const TimeCalls& time, const double minimum_ms, Stopwatch& watch) {
  constexpr int most = 1 << 20;
  int calls = 1;
  while (calls < most) {
    const double total = watch(time, calls);
    if (total >= minimum_ms) {
      break;
    }
    // Jump close to the goal at once, but at most eightfold: the first calls run cold and overstate their time.
    const double wanted = total > 0 ? std::ceil(calls * minimum_ms / total) : calls * 8.0;
    calls = static_cast<int>(std::clamp(wanted, calls + 1.0, std::min(calls * 8.0, static_cast<double>(most))));
  }
  return calls;
}

}  // namespace

double monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

int calls_per_sample(const TimeCalls& time, const double minimum_ms) {
  Stopwatch watch;
  return calls_per_sample(time, minimum_ms, watch);
}

std::vector<double> take_samples(const TimeCalls& time, const SamplePlan& plan) {
  Stopwatch watch;
  const int calls = calls_per_sample(time, plan.minimum_ms, watch);
  std::vector<double> samples;
  do {
    samples.push_back(watch(time, calls) / calls);
  } while (more_wanted(plan, samples.size(), watch.elapsed_ms()));
  return samples;
}

RaceSamples take_race(const TimeCalls& a, const TimeCalls& b, const SamplePlan& plan) {
  Stopwatch watch;
  const int calls_a = calls_per_sample(a, plan.minimum_ms, watch);
  const int calls_b = calls_per_sample(b, plan.minimum_ms, watch);
  RaceSamples race;
  do {
    const bool a_first = race.a.size() % 2 == 0;
    if (a_first) {
      race.a.push_back(watch(a, calls_a) / calls_a);
    }
    race.b.push_back(watch(b, calls_b) / calls_b);
    if (!a_first) {
      race.a.push_back(watch(a, calls_a) / calls_a);
    }
  } while (more_wanted(plan, race.a.size(), watch.elapsed_ms()));
  return race;
}

}  // namespace attentune
