// Tuner: measures Configs of a Problem's families on a Device through a worker process and publishes the Winner.
//
//   order (default Configs first, then by predicted cost, shuffled ties) -> compile ahead on threads -> verify -> probe
//   -> few -> full timing -> interleaved ABBA final against the incumbent with a margin -> one transaction into the
//   Store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/store.h"
#include "generator/kernel_family.h"
#include "generator/measurement.h"
#include "generator/problem.h"
#include "generator/winner.h"
#include "runtime/device.h"

namespace attentune {

// How a time is taken; its id enters the tuning key.
struct MeasurementPolicy {
  std::string id = "warm1";  // inputs warm in cache as they come, host threads as the Device says
  int full_repeats = 15;
  double minimum_ms = 2;  // a sample repeats the call until it lasts at least this long
};

struct TuneBudget {
  double seconds = 60;         // whole tune; the default Config is measured in any case
  std::uint64_t trials = 200;  // Configs tried
};

// One line of progress, a value: printed for people or as JSON by the CLI.
struct TuneProgress {
  enum class Stage : std::uint8_t { prepare, candidate, final_round, done };
  Stage stage = Stage::prepare;
  std::uint64_t tried = 0;
  std::uint64_t planned = 0;
  double elapsed_s = 0;
  double rate = 0;  // candidates a second
  double eta_s = 0;
  double best_ms = 0;  // 0 until something was verified and timed
  double default_ms = 0;
  std::string best_config;
  std::optional<Measurement> last;
};

struct TuneRequest {
  Problem problem;  // measured as given; stored under its bucket
  TuneBudget budget;
  MeasurementPolicy policy;
  std::vector<const KernelFamily*> families;  // empty: all that serve the problem
  std::optional<std::string> only_config;     // text: try this one (and its family's default) only
  std::uint64_t seed = 1;
  int compile_threads = 0;           // 0 = one a CPU; on a host they stand still while something is timed
  std::string device_name = "host";  // as open_device takes it: the worker opens its own
  std::string worker_path;           // the executable whose `worker` command is run; "" = find_worker("")
  std::function<void(const TuneProgress&)> progress;
  const std::atomic<bool>* cancelled = nullptr;  // Ctrl-C: drop the candidate in flight, keep what is known
};

struct TuneResult {
  std::optional<Winner> winner;
  bool resumed = false;  // some candidates came from an earlier, interrupted tune
  bool cancelled = false;
  std::uint64_t tried = 0;
  std::vector<Measurement> measurements;  // every candidate, in order
};

// Throws RefusalError (no family, only_config outside the space, a simulator), Error(store_failed),
// Error(device_failed) when no worker can be started. A candidate that fails, crashes or hangs is a row, never an
// exception.
[[nodiscard]] TuneResult tune(const TuneRequest& request, const std::shared_ptr<const Device>& device, Store& store);

}  // namespace attentune
