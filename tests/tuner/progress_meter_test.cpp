#include "tuner/progress_meter.h"

#include <doctest/doctest.h>

#include <vector>

using namespace attentune;

namespace {

Measurement measured(const double time_ms, const char* const config) {
  Measurement row;
  row.outcome = Outcome::ok;
  row.verified = true;
  row.time_ms = time_ms;
  row.config = config;
  return row;
}

// A request whose progress is kept in `told`.
TuneRequest request_of(const double seconds, std::vector<TuneProgress>& told) {
  TuneRequest request;
  request.budget = {.seconds = seconds, .trials = 100};
  request.progress = [&told](const TuneProgress& progress) { told.push_back(progress); };
  return request;
}

}  // namespace

TEST_CASE("the rate leaves preparation out, and the time left follows from it") {
  std::vector<TuneProgress> told;
  const TuneRequest request = request_of(60, told);
  ProgressMeter meter(request, 1000);
  meter.stage(TuneProgress::Stage::prepare, 1000);
  CHECK(told.back().eta_s == doctest::Approx(60));
  meter.plan(10);
  meter.stage(TuneProgress::Stage::candidate, 5000);
  CHECK(told.back().elapsed_s == doctest::Approx(4));
  CHECK(told.back().rate == 0);
  CHECK(told.back().eta_s == doctest::Approx(56));

  meter.candidate(measured(2, "a=1"), true, 5500);
  meter.candidate(measured(3, "a=2"), false, 6000);
  CHECK(told.back().tried == 2);
  CHECK(told.back().planned == 10);
  CHECK(told.back().elapsed_s == doctest::Approx(5));
  CHECK(told.back().rate == doctest::Approx(2));
  CHECK(told.back().eta_s == doctest::Approx(4));

  meter.stage(TuneProgress::Stage::final_round, 7000);
  CHECK(told.back().eta_s == 0);
}

TEST_CASE("no more time is left than the budget has") {
  std::vector<TuneProgress> told;
  const TuneRequest request = request_of(6, told);
  ProgressMeter meter(request, 0);
  meter.plan(1000);
  meter.stage(TuneProgress::Stage::candidate, 0);
  meter.candidate(measured(2, "a=1"), true, 1000);
  CHECK(told.back().eta_s == doctest::Approx(5));
  meter.candidate(measured(2, "a=1"), false, 8000);
  CHECK(told.back().eta_s == 0);
}

TEST_CASE("the best is the fastest that is right, of this tune or an earlier one") {
  std::vector<TuneProgress> told;
  const TuneRequest request = request_of(60, told);
  ProgressMeter meter(request, 0);
  meter.stage(TuneProgress::Stage::candidate, 0);
  meter.candidate(measured(4, "default"), true, 1000);
  Measurement wrong = measured(1, "wrong");
  wrong.verified = false;
  meter.candidate(wrong, false, 2000);
  Measurement faulted = measured(1, "faulted");
  faulted.outcome = Outcome::faulted;
  meter.candidate(faulted, false, 3000);
  CHECK(told.back().best_ms == 4);
  CHECK(told.back().best_config == "default");
  REQUIRE(told.back().last);
  CHECK(told.back().last->config == "faulted");

  meter.best(3, "earlier");
  meter.candidate(measured(3.5, "slower"), false, 4000);
  CHECK(told.back().best_ms == 3);
  CHECK(told.back().best_config == "earlier");
  CHECK(told.back().default_ms == 4);
  CHECK(told.back().tried == 4);

  meter.stage(TuneProgress::Stage::done, 5000);
  CHECK_FALSE(told.back().last);
}
