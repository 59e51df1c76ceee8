#include "tuner/progress_meter.h"

#include <algorithm>

namespace attentune {

ProgressMeter::ProgressMeter(const TuneRequest& request, const double now_ms)
    : request_(request), start_ms_(now_ms), first_ms_(now_ms) {}

void ProgressMeter::plan(const std::uint64_t candidates) { progress_.planned = candidates; }

void ProgressMeter::best(const double time_ms, const std::string& config) {
  if (time_ms > 0 && (progress_.best_ms == 0 || time_ms < progress_.best_ms)) {
    progress_.best_ms = time_ms;
    progress_.best_config = config;
  }
}

void ProgressMeter::candidate(const Measurement& row, const bool is_default, const double now_ms) {
  ++progress_.tried;
  if (row.outcome == Outcome::ok && row.verified) {
    best(row.time_ms, row.config);
    if (is_default) {
      progress_.default_ms = row.time_ms;
    }
  }
  progress_.stage = TuneProgress::Stage::candidate;
  progress_.last = row;
  tell(now_ms);
  progress_.last.reset();
}

void ProgressMeter::stage(const TuneProgress::Stage stage, const double now_ms) {
  if (progress_.stage == TuneProgress::Stage::prepare) {
    first_ms_ = now_ms;
  }
  progress_.stage = stage;
  tell(now_ms);
}

void ProgressMeter::tell(const double now_ms) {
  progress_.elapsed_s = elapsed_s(now_ms);
  const double trying_s = (now_ms - first_ms_) / 1000;
  progress_.rate = trying_s > 0 ? static_cast<double>(progress_.tried) / trying_s : 0;
  const std::uint64_t left = progress_.planned - std::min(progress_.planned, progress_.tried);
  const double budget_left_s = std::max(0.0, request_.budget.seconds - progress_.elapsed_s);
  switch (progress_.stage) {
    case TuneProgress::Stage::prepare:
      progress_.eta_s = budget_left_s;
      break;
    case TuneProgress::Stage::candidate:
      progress_.eta_s =
          progress_.rate > 0 ? std::min(budget_left_s, static_cast<double>(left) / progress_.rate) : budget_left_s;
      break;
    case TuneProgress::Stage::final_round:
    case TuneProgress::Stage::done:
      progress_.eta_s = 0;
      break;
  }
  if (request_.progress) {
    request_.progress(progress_);
  }
}

}  // namespace attentune
