#include "tuner/trial.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "generator/error.h"
#include "tuner/time_stats.h"

namespace attentune {

namespace {

// A candidate that is slower than the best by more than this after a stage is not worth the next one. The first stage
// is one sample on a machine with neighbours, so it must be generous.
constexpr double probe_cut = 2.0;
constexpr double few_cut = 1.25;

constexpr double least_deadline_s = 2;
constexpr double patience = 20;               // a request may take this many times what it should
constexpr double reference_allowance_s = 20;  // a new worker makes its references first
constexpr double full_limit_ms = 3000;

SamplePlan probe_plan(const MeasurementPolicy& policy) {
  return {.samples = 1, .minimum_ms = policy.minimum_ms / 4, .limit_ms = 0, .least = 1};
}
SamplePlan few_plan(const MeasurementPolicy& policy) {
  return {.samples = 3, .minimum_ms = policy.minimum_ms, .limit_ms = full_limit_ms / 3, .least = 1};
}
SamplePlan full_plan(const MeasurementPolicy& policy) {
  return {.samples = policy.full_repeats, .minimum_ms = policy.minimum_ms, .limit_ms = full_limit_ms, .least = 3};
}

void fail(Measurement& row, const Outcome outcome, std::string detail) {
  row.outcome = outcome;
  row.time_ms = 0;
  row.spread = 0;
  row.repeats = 0;
  row.verified = false;
  row.detail = std::move(detail);
}

// The sentence of a reply that is none of those asked for.
void fail_by(Measurement& row, const Answer& answer) {
  if (!answer.reply) {
    fail(row, answer.failure, answer.detail);
  } else if (const auto* const failed = std::get_if<Failed>(&*answer.reply)) {
    fail(row, failed->outcome == Outcome::ok ? Outcome::faulted : failed->outcome, failed->sentence);
  } else {
    fail(row, Outcome::faulted, "the worker answered with something else than was asked");
  }
}

std::string cut_sentence(const char* stage, const double ratio) {
  char text[64];
  std::snprintf(text, sizeof text, "stopped after %s: %.2f times the best", stage, ratio);
  return text;
}

}  // namespace

Trial::Trial(WorkerProcess& worker, MeasurementPolicy policy, Measurement row, const double slowest_call_s)
    : worker_(worker), policy_(std::move(policy)), row_(std::move(row)), first_deadline_s_(60 + slowest_call_s) {}

double Trial::deadline_s(const double expected_ms, const double limit_ms) const {
  return expected_ms > 0 ? std::max(least_deadline_s, limit_ms / 1000 + patience * expected_ms / 1000)
                         : first_deadline_s_;
}

void Trial::verify(const Candidate& candidate, Measurement& row) {
  worker_.start();
  const bool fresh = verified_in_ != worker_.starts();
  const double known_s = verify_s_ > 0 ? verify_s_ : first_verify_s_;
  const double deadline = known_s > 0
                              ? std::max(least_deadline_s, patience * known_s) + (fresh ? reference_allowance_s : 0)
                              : first_deadline_s_;
  const double start = monotonic_ms();
  const Answer answer = worker_.ask(VerifyRequest{.candidate = candidate}, deadline, "verifying");
  const auto* const verified = answer.reply ? std::get_if<Verified>(&*answer.reply) : nullptr;
  if (verified == nullptr) {
    fail_by(row, answer);
  } else {
    row.error = verified->error;
    row.verified = verified->passed;
    if (!verified->passed) {
      fail(row, Outcome::wrong, verified->sentence);
    }
  }
  if (row.outcome == Outcome::ok) {
    const double took_s = (monotonic_ms() - start) / 1000;
    double& known = fresh ? first_verify_s_ : verify_s_;
    known = std::max(known, took_s);
    verified_in_ = worker_.starts();
  } else if (row.outcome == Outcome::wrong || row.outcome == Outcome::faulted) {
    // It may have written anywhere, or broken the device's context; the next candidate starts from a clean process.
    worker_.stop();
  }
}

bool Trial::time(const TrialRequest& request, const SamplePlan& plan, const double expected_ms, Measurement& row) {
  const CompileAhead::Pause quiet(request.compiling);
  const Answer answer = worker_.ask(MeasureRequest{.candidate = request.candidate, .plan = plan},
                                    deadline_s(expected_ms, plan.limit_ms), "measuring");
  const auto* const measured = answer.reply ? std::get_if<Measured>(&*answer.reply) : nullptr;
  if (measured == nullptr || measured->samples_ms.empty()) {
    fail_by(row, answer);
    worker_.stop();
    return false;
  }
  const TimeSummary summary = summarize(measured->samples_ms);
  row.time_ms = summary.median;
  row.spread = summary.spread;
  row.repeats = summary.samples;
  return true;
}

Measurement Trial::run(const TrialRequest& request) {
  Measurement row = row_;
  row.binary_key = request.candidate.binary.key;
  row.family = request.candidate.binary.family;
  row.config = request.candidate.config;

  verify(request.candidate, row);
  if (row.outcome != Outcome::ok) {
    return row;
  }
  const double best = request.best_ms;
  // The time ceiling: twice the cut, so that what is just too slow is a time and what hangs is not waited for.
  if (!time(request, probe_plan(policy_), best, row)) {
    return row;
  }
  if (best > 0 && row.time_ms > probe_cut * best) {
    row.detail = cut_sentence("probe", row.time_ms / best);
    return row;
  }
  if (!time(request, few_plan(policy_), row.time_ms, row)) {
    return row;
  }
  if (best > 0 && row.time_ms > few_cut * best) {
    row.detail = cut_sentence("few", row.time_ms / best);
    return row;
  }
  (void)time(request, full_plan(policy_), row.time_ms, row);
  return row;
}

Trial::Race Trial::race(const Candidate& champion, const Candidate& challenger, const SamplePlan& plan,
                        const double slower_ms) {
  const double deadline = deadline_s(slower_ms * 2 * plan.least, 2 * plan.limit_ms);
  const Answer answer = worker_.ask(RaceRequest{.a = champion, .b = challenger, .plan = plan}, deadline, "racing");
  if (answer.reply) {
    if (const auto* const raced = std::get_if<Raced>(&*answer.reply)) {
      return {.samples = raced->samples_ms, .detail = {}};
    }
  }
  Measurement row;
  fail_by(row, answer);
  return {.samples = {}, .detail = row.detail};
}

}  // namespace attentune
