#include "tuner/sampler.h"

#include <doctest/doctest.h>

#include <string>

using namespace attentune;

namespace {

// Calls that take what they are said to take.
struct Machine {
  int calls = 0;
  std::string order;

  TimeCalls call(const double ms, const char name = 'x') {
    return [this, ms, name](const int count) {
      calls += count;
      order.append(static_cast<std::size_t>(count), name);
      return ms * count;
    };
  }
};

}  // namespace

TEST_CASE("a sample repeats a short call until the clock can tell") {
  Machine machine;
  const int calls = calls_per_sample(machine.call(0.01), 2);
  CHECK(calls >= 200);
  CHECK(calls <= 210);
}

TEST_CASE("a long call is one call a sample") {
  Machine machine;
  CHECK(calls_per_sample(machine.call(50), 2) == 1);
  CHECK(machine.calls == 1);
}

TEST_CASE("a clock that stands still ends") {
  Machine machine;
  CHECK(calls_per_sample(machine.call(0), 2) >= 1);
}

TEST_CASE("samples stop at their number, and at the limit once there are the least") {
  Machine machine;
  const SamplePlan plan{.samples = 5, .minimum_ms = 2, .limit_ms = 1000, .least = 1};
  CHECK(take_samples(machine.call(10), plan) == std::vector<double>(5, 10.0));
  CHECK(take_samples(machine.call(600), plan).size() == 1);
  SamplePlan more = plan;
  more.least = 3;
  CHECK(take_samples(machine.call(600), more).size() == 3);
}

TEST_CASE("a race goes A B B A") {
  Machine machine;
  const SamplePlan plan{.samples = 4, .minimum_ms = 1, .limit_ms = 1e6, .least = 4};
  const RaceSamples race = take_race(machine.call(2, 'A'), machine.call(3, 'B'), plan);
  CHECK(race.a == std::vector<double>(4, 2.0));
  CHECK(race.b == std::vector<double>(4, 3.0));
  CHECK(machine.order == "ABABBAABBA");  // one of each to warm up
}
