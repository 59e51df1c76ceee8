// Trial: one candidate in the worker: verified, then timed in stages, each of which a slow one does not survive.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "generator/measurement.h"
#include "tuner/compile_ahead.h"
#include "tuner/protocol.h"
#include "tuner/tuner.h"
#include "tuner/worker_process.h"

namespace attentune {

struct TrialRequest {
  const Candidate& candidate;
  double best_ms = 0;                 // of the verified candidates so far; 0 = none yet
  CompileAhead* compiling = nullptr;  // stands still while something is timed; may be null
};

class Trial {
 public:
  // `row` is what every Measurement of this tune has in common; a call slower than `slowest_call_s` hangs.
  Trial(WorkerProcess& worker, MeasurementPolicy policy, Measurement row, double slowest_call_s);

  // The row, whatever happens. Throws Error(device_failed) only when no worker can be started any more,
  // Error(cancelled) as the worker does.
  [[nodiscard]] Measurement run(const TrialRequest& request);
  // Verification alone: for a finalist whose row comes from an earlier tune. Fills outcome, error, verified, detail.
  void verify(const Candidate& candidate, Measurement& row);

  // A finalist's samples, in turns; nothing (and a sentence in `detail`) when the worker did not live through it.
  struct Race {
    std::optional<RaceSamples> samples;
    std::string detail;
  };
  [[nodiscard]] Race race(const Candidate& champion, const Candidate& challenger, const SamplePlan& plan,
                          double slower_ms);

 private:
  [[nodiscard]] double deadline_s(double expected_ms, double limit_ms) const;
  [[nodiscard]] bool time(const TrialRequest& request, const SamplePlan& plan, double expected_ms, Measurement& row);

  WorkerProcess& worker_;
  MeasurementPolicy policy_;
  Measurement row_;
  double first_deadline_s_;        // when nothing is known about how long anything takes
  double first_verify_s_ = 0;      // longest verification that passed and made the references too
  double verify_s_ = 0;            // longest other one that passed
  std::uint64_t verified_in_ = 0;  // the start of the worker whose references are made
};

}  // namespace attentune
