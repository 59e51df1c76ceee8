// TuneRun: one tune from beginning to end. Private to tune.cpp (the loop) and tune_final.cpp (the decision).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/records.h"
#include "cache/store.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "generator/measurement.h"
#include "runtime/device.h"
#include "tuner/builder.h"
#include "tuner/compile_ahead.h"
#include "tuner/final_round.h"
#include "tuner/history.h"
#include "tuner/progress_meter.h"
#include "tuner/sampler.h"
#include "tuner/trial.h"
#include "tuner/tuner.h"
#include "tuner/worker_process.h"

namespace attentune {

// A candidate with a verified time: from this tune, or from an earlier one.
struct Ranked {
  Built built;
  Measurement row;
  bool is_default = false;
  bool from_before = false;
};

class TuneRun {
 public:
  TuneRun(const TuneRequest& request, std::shared_ptr<const Device> device, Store& store);
  TuneResult run();

 private:
  void start_worker();
  [[nodiscard]] std::vector<FamilyConfig> candidates() const;
  void try_all();
  void try_one(const Built& built, bool is_default, CompileAhead& compiling);
  void recall(const Built& built);
  void keep(const Built& built, const Measurement& row, bool is_default);
  void defend_incumbent();
  void decide();
  void settle();
  [[nodiscard]] bool is_incumbent(const Measurement& row) const;
  [[nodiscard]] std::vector<Contender> contenders() const;
  [[nodiscard]] std::optional<RaceSamples> race(Ranked& champion, Ranked& challenger);
  void crown(const FinalResult& result, std::vector<Ranked>& field);
  [[nodiscard]] Winner winner_of(const Measurement& row, double default_ms) const;

  // Throws Error(cancelled), as every request to the worker does.
  void stop_if_cancelled() const;
  [[nodiscard]] double elapsed_s() const { return meter_.elapsed_s(monotonic_ms()); }
  [[nodiscard]] double race_s() const;
  [[nodiscard]] Record record_of(const Measurement& row) const;
  [[nodiscard]] Record record_of(const Measurement& row, const Built& built) const;
  [[nodiscard]] Measurement common_row() const;

  const TuneRequest& request_;
  std::shared_ptr<const Device> device_;
  Store& store_;
  const std::vector<const KernelFamily*> families_;
  const TuningKey key_;
  const std::string session_;
  ProgressMeter meter_;
  History history_;
  Builder builder_;
  WorkerProcess worker_;
  Trial trial_;

  std::vector<Ranked> ranked_;
  double default_ms_ = 0;
  double scale_ = 1;         // this machine now over then, by the default's two times
  double published_ms_ = 0;  // of the Winner this tune has published on its way
  TuneResult result_;
};

}  // namespace attentune
