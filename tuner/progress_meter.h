// ProgressMeter: rate, time left and best so far of a tune, told after each step.
#pragma once

#include <string>

#include "generator/measurement.h"
#include "tuner/tuner.h"

namespace attentune {

class ProgressMeter {
 public:
  ProgressMeter(const TuneRequest& request, double now_ms);

  void plan(std::uint64_t candidates);
  // A candidate has its row. Rows of earlier tunes count as best, not as tried.
  void candidate(const Measurement& row, bool is_default, double now_ms);
  void stage(TuneProgress::Stage stage, double now_ms);

  [[nodiscard]] double elapsed_s(double now_ms) const { return (now_ms - start_ms_) / 1000; }
  // Times of earlier rows count from here on.
  void best(double time_ms, const std::string& config);
  [[nodiscard]] double best_ms() const noexcept { return progress_.best_ms; }
  [[nodiscard]] std::uint64_t tried() const noexcept { return progress_.tried; }

 private:
  void tell(double now_ms);

  const TuneRequest& request_;
  double start_ms_;
  double first_ms_ = 0;  // when the first candidate was begun: rate leaves preparation out
  TuneProgress progress_;
};

}  // namespace attentune
