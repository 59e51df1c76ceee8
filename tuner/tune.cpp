// tune(): the core loop. What it is made of: history (what is known), order, builder and compile_ahead, trial (one
// candidate), final_round, and the Store.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

#include "generator/bucket.h"
#include "generator/error.h"
#include "generator/kernel_family.h"
#include "generator/key.h"
#include "tuner/build_hash.h"
#include "tuner/builder.h"
#include "tuner/compile_ahead.h"
#include "tuner/history.h"
#include "tuner/order.h"
#include "tuner/progress_meter.h"
#include "tuner/trial.h"
#include "tuner/tune_run.h"
#include "tuner/tuner.h"
#include "tuner/worker_path.h"
#include "tuner/worker_process.h"

namespace attentune {

namespace {

std::string session_name() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return "tune-" + std::to_string(getpid()) + "-" +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

std::vector<const KernelFamily*> checked_families(const TuneRequest& request, const Device& device) {
  if (device.identity().kind == DeviceIdentity::Kind::simulator) {
    throw RefusalError({.field = "device",
                        .value = device.identity().name,
                        .limit = "a simulator gives counts, never seconds",
                        .remedy =
                            "tune on a GPU or with --device host; here 'attentune space' ranks Configs by predicted "
                            "cost, 'attentune verify --all-configs N' checks them"});
  }
  return request.families.empty() ? serving_families(request.problem, device.arch()) : request.families;
}

// Nobody waits longer for a call of a kernel of which nothing is known.
double slowest_call_s(const Problem& problem, const Device& device) {
  const bool is_gpu = device.identity().kind == DeviceIdentity::Kind::gpu;
  return flops(problem) / (is_gpu ? 1e12 : 1e9);
}

std::string checked_worker(const TuneRequest& request) {
  std::string path = request.worker_path.empty() ? find_worker("") : request.worker_path;
  if (path.empty()) {
    throw Error(Status::device_failed, worker_absent_sentence());
  }
  return path;
}

}  // namespace

TuneRun::TuneRun(const TuneRequest& request, std::shared_ptr<const Device> device, Store& store)
    : request_(request),
      device_(std::move(device)),
      store_(store),
      families_(checked_families(request, *device_)),
      key_{.class_text = class_text(request.problem),
           .bucket_text = to_text(bucket_of(request.problem)),
           .device = to_text(device_->identity()),
           .policy = request.policy.id},
      session_(session_name()),
      meter_(request, monotonic_ms()),
      history_(store, key_, request.problem, families_, *device_),
      builder_({.problem = request.problem,
                .device = device_,
                .stored = [this](const std::string& key) { return store_.load_binary(key); }}),
      worker_(
          checked_worker(request),
          {.device = request.device_name, .threads = device_->identity().threads, .problem = to_text(request.problem)},
          build_hash(), request.cancelled),
      trial_(worker_, request.policy, common_row(), slowest_call_s(request.problem, *device_)) {}

Measurement TuneRun::common_row() const {
  Measurement row;
  row.problem = to_text(request_.problem);
  row.device = key_.device;
  row.policy = key_.policy;
  return row;
}

Record TuneRun::record_of(const Measurement& row) const {
  return {.class_text = key_.class_text,
          .bucket_text = key_.bucket_text,
          .measurement = row,
          .session = session_,
          .binary = {},
          .source_text = {}};
}

Record TuneRun::record_of(const Measurement& row, const Built& built) const {
  Record record = record_of(row);
  record.binary = *built.binary;
  record.source_text = built.source_text;
  return record;
}

std::vector<FamilyConfig> TuneRun::candidates() const {
  const std::vector<FamilySpace> spaces = spaces_of(families_, request_.problem, device_->arch());
  if (request_.only_config) {
    const Config only = parse_config(*request_.only_config);
    const auto own =
        std::ranges::find_if(spaces, [&](const FamilySpace& each) { return !each.space.why_not(only).has_value(); });
    if (own == spaces.end()) {
      throw RefusalError({.field = "config",
                          .value = *request_.only_config,
                          .limit = *spaces.front().space.why_not(only),
                          .remedy = "`attentune space` lists what is allowed"});
    }
    std::vector<FamilyConfig> two{{.family = own->family, .config = own->default_config}};
    if (only != own->default_config) {
      two.push_back({.family = own->family, .config = only});
    }
    return two;
  }
  // Configs that earlier tunes have settled are passed over without counting, so more are lined up than will be tried.
  constexpr std::size_t most = 4096;
  return candidate_order({.spaces = spaces, .preferred = history_.preferred(), .seed = request_.seed, .limit = most});
}

void TuneRun::try_all() {
  std::vector<FamilyConfig> order = candidates();
  meter_.plan(std::min<std::uint64_t>(order.size(), std::max<std::uint64_t>(request_.budget.trials, 1)));
  meter_.stage(TuneProgress::Stage::candidate, monotonic_ms());

  const int cpus = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int threads = request_.compile_threads > 0 ? std::min(request_.compile_threads, cpus) : cpus;
  const FamilyConfig standard = order.front();
  // The default is tried anew in any case: its time says how this machine is today.
  const auto skip = [&](const std::string& key, const FamilyConfig& candidate) {
    return candidate != standard && history_.settled(key, to_text(candidate.config));
  };
  CompileAhead compiling(
      std::move(order), [&](const FamilyConfig& candidate) { return builder_.build(candidate, skip); }, threads,
      static_cast<std::size_t>(2 * threads));
  const double loop_s = request_.budget.seconds - race_s() * static_cast<double>(most_finalists);
  bool is_default = true;
  while (const std::optional<Built> built = compiling.next()) {
    if (built->skipped) {
      recall(*built);
    } else {
      try_one(*built, is_default, compiling);
    }
    is_default = false;
    stop_if_cancelled();
    if (meter_.tried() >= request_.budget.trials || elapsed_s() >= loop_s) {
      return;
    }
  }
}

void TuneRun::recall(const Built& built) {
  result_.resumed = true;
  if (const Measurement* const before = history_.measured(built.binary_key, to_text(built.candidate.config))) {
    Measurement row = *before;
    row.time_ms *= scale_;
    meter_.best(row.time_ms, row.config);
    ranked_.push_back({.built = built, .row = std::move(row), .is_default = false, .from_before = true});
  }
}

void TuneRun::try_one(const Built& built, const bool is_default, CompileAhead& compiling) {
  Measurement row = common_row();
  if (built.binary != nullptr) {
    const Candidate candidate{.config = to_text(built.candidate.config), .binary = *built.binary};
    // A Pause has meaning where compiling and the kernel share the processor.
    const bool shared = device_->identity().kind == DeviceIdentity::Kind::host;
    row = trial_.run({.candidate = candidate, .best_ms = meter_.best_ms(), .compiling = shared ? &compiling : nullptr});
  } else {
    row.binary_key = built.binary_key;
    row.family = built.candidate.family->name();
    row.config = to_text(built.candidate.config);
    row.outcome = built.outcome;
    row.detail = built.failure;
  }
  if (is_default && row.outcome == Outcome::ok) {
    default_ms_ = row.time_ms;
    if (const Measurement* const before = history_.measured(row.binary_key, row.config)) {
      scale_ = row.time_ms / before->time_ms;
      result_.resumed = true;
    }
  }
  keep(built, row, is_default);
}

// Stores the row at once, so that a tune killed now goes on after it; a first Winner of the bucket is published as soon
// as there is one, and again when a better is found.
void TuneRun::keep(const Built& built, const Measurement& row, const bool is_default) {
  const bool good = row.outcome == Outcome::ok && row.verified;
  const bool complete = good && row.detail.empty();
  const bool improves =
      complete && !history_.incumbent() && (published_ms_ == 0 || row.time_ms < (1 - unraced_margin) * published_ms_);
  if (improves) {
    store_.publish_winner(record_of(row, built), default_ms_);
    published_ms_ = row.time_ms;
  } else {
    store_.publish(record_of(row));
  }
  result_.measurements.push_back(row);
  if (good) {
    ranked_.push_back({.built = built, .row = row, .is_default = is_default, .from_before = false});
  }
  meter_.candidate(row, is_default, monotonic_ms());
}

void TuneRun::stop_if_cancelled() const {
  if (request_.cancelled != nullptr && request_.cancelled->load()) {
    throw Error(Status::cancelled, "the tune was cancelled");
  }
}

void TuneRun::start_worker() {
  worker_.start();
  if (worker_.device() != key_.device) {
    throw Error(Status::device_failed, "the tuning worker sees another device (" + worker_.device() +
                                           ") than this process (" + key_.device +
                                           "); run both under the same CPU and device settings");
  }
}

TuneResult TuneRun::run() {
  meter_.stage(TuneProgress::Stage::prepare, monotonic_ms());
  try {
    start_worker();
    try_all();
    decide();
  } catch (const Error& error) {
    if (error.status() != Status::cancelled) {
      throw;
    }
    result_.cancelled = true;
    settle();
  }
  result_.tried = meter_.tried();
  meter_.stage(TuneProgress::Stage::done, monotonic_ms());
  return std::move(result_);
}

TuneResult tune(const TuneRequest& request, const std::shared_ptr<const Device>& device, Store& store) {
  return TuneRun(request, device, store).run();
}

}  // namespace attentune
