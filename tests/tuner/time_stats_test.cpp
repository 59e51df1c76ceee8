#include "tuner/time_stats.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace attentune;

TEST_CASE("quantiles interpolate between order statistics") {
  const std::vector<double> samples{4, 1, 3, 2};
  CHECK(median(samples) == doctest::Approx(2.5));
  CHECK(quantile(samples, 0) == 1);
  CHECK(quantile(samples, 1) == 4);
  CHECK(quantile(samples, 1.0 / 3) == doctest::Approx(2));
  CHECK(median({}) == 0);
  CHECK(median(std::vector<double>{7}) == 7);
}

TEST_CASE("the summary is the median and the middle spread") {
  const std::vector<double> samples{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const TimeSummary summary = summarize(samples);
  CHECK(summary.median == 6);
  CHECK(summary.spread == doctest::Approx(1));
  CHECK(summary.samples == 11);
  CHECK(summarize({}).median == 0);
}

TEST_CASE("a challenger wins by more than margin and noise only") {
  const std::vector<double> champion(12, 10.0);
  CHECK(decide(champion, std::vector<double>(12, 9.8), 0.01).challenger_wins);
  CHECK_FALSE(decide(champion, std::vector<double>(12, 9.95), 0.01).challenger_wins);
  CHECK_FALSE(decide(champion, champion, 0.01).challenger_wins);
  CHECK_FALSE(decide(champion, std::vector<double>(12, 11.0), 0.01).challenger_wins);
  CHECK_FALSE(decide({}, {}, 0.01).challenger_wins);
  // Faster in the median by 3 %, but from one sample to the next it is anything between 0.7 and 1.3.
  const std::vector<double> noisy{7, 13, 9.7, 7, 13, 9.7, 7, 13, 9.7, 7, 13, 9.7};
  CHECK_FALSE(decide(champion, noisy, 0.01).challenger_wins);
}

TEST_CASE("drift that hits both does not decide") {
  std::vector<double> champion;
  std::vector<double> challenger;
  for (int n = 0; n < 12; ++n) {
    const double drift = 1 + 0.2 * n;
    champion.push_back(10 * drift);
    challenger.push_back(9.5 * drift);
  }
  const PairedDecision decision = decide(champion, challenger, 0.01);
  CHECK(decision.ratio == doctest::Approx(0.95));
  CHECK(decision.challenger_wins);
}

TEST_CASE("equal kernels under noise seldom change places") {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(1, 0.03);
  int flips = 0;
  constexpr int races = 1000;
  for (int n = 0; n < races; ++n) {
    std::vector<double> a;
    std::vector<double> b;
    for (int sample = 0; sample < 15; ++sample) {
      a.push_back(noise(random));
      b.push_back(noise(random));
    }
    flips += decide(a, b, 0.01).challenger_wins ? 1 : 0;
  }
  CHECK(flips < races / 15);
}
