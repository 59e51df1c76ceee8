// Runtime: a kernel for any Problem on one Device, now. Owns, per class, an immutable table bucket -> Variant that is
// replaced as a whole through an atomic pointer; a lookup reads it without a lock, an allocation or the Store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/store.h"
#include "generator/bucket.h"
#include "generator/problem.h"
#include "generator/winner.h"
#include "runtime/kernel.h"
#include "runtime/process_local.h"

namespace attentune {

// What happens when nothing stored fits (DESIGN promise 4).
enum class MissPolicy : std::uint8_t { fail, heuristic, compile, tune };
[[nodiscard]] std::string_view name(MissPolicy policy) noexcept;
[[nodiscard]] std::optional<MissPolicy> parse_miss_policy(std::string_view text) noexcept;

// One entry of the table; what Runtime::kernel returns. Valid as long as the Runtime lives.
struct Variant {
  Bucket bucket;  // asked for
  std::shared_ptr<const Kernel> kernel;
  Trust trust = Trust::compiled_only;
  Provenance provenance = Provenance::default_config;
  double tuned_ms = 0;  // the Winner's time at its bucket; 0 when there is none
};

// A miss of policy `tune`, as told to whoever handles it.
struct TuneJob {
  Problem problem;      // the representative of its bucket
  std::string command;  // "attentune tune 'dtype=bf16 ...'": the exact line that would tune it
};
// The command of a TuneJob, as it is also recorded in the Store.
[[nodiscard]] std::string tune_command(const Problem& problem);

// Work a Runtime hands away: implemented by the tuner. Called from a background thread, never from the caller's.
class MissHandler {
 public:
  virtual ~MissHandler() = default;
  // Starts to tune in the background and returns. `done` may be called from any thread, until the Runtime is gone: the
  // Runtime then looks the Winner up again. A handler that cannot tune throws; the Runtime then acts as `compile` does.
  virtual void tune(const TuneJob& job, std::function<void()> done) = 0;
};

struct RuntimeOptions {
  MissPolicy policy = MissPolicy::heuristic;
  bool strict = false;                        // run the probe set before the first use of a Kernel (compiled_only)
  std::function<void(std::string_view)> log;  // one sentence an event; may be empty; any thread
  std::string measurement_policy = "warm1";   // whose Winners are looked up; part of the tuning key
  MissHandler* miss_handler = nullptr;        // must outlive the Runtime; nullptr: tune falls back to compile
  std::function<void()> before_background;    // called once, on the caller's thread, before the first job; may be empty
};

// In a forked child a Runtime goes on with the Kernels it has, whatever the parent's threads were doing, and compiles
// what it misses. The Store and the MissHandler stay the parent's: nothing is looked up there any more, nor remembered.
class Runtime {
 public:
  // `store` may be null: nothing is remembered.
  Runtime(std::shared_ptr<const Device> device, std::shared_ptr<Store> store, RuntimeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // The best Kernel at hand for the problem. A hit costs at most 200 ns and touches no lock. A miss: per policy; at
  // most one thread compiles a Kernel while others of its class wait for it ("single flight"). Throws RefusalError when
  // no family serves the problem, Error(miss) under `fail`, Error(compile_failed).
  [[nodiscard]] const Variant& kernel(const Problem& problem);

  [[nodiscard]] const Device& device() const noexcept;
  // Counters: lookups that hit, missed, compiles, corrupt binaries healed. A forked child's begin with its first miss.
  struct Counters {
    std::uint64_t misses = 0;
    std::uint64_t compiles = 0;
    std::uint64_t loads = 0;
    std::uint64_t healed = 0;
  };
  [[nodiscard]] Counters counters() const noexcept;
  // Blocks until background work (compiles, Store writes) is done: tests and orderly exits. Throws Error(store_failed)
  // when the Store could not be written: the rows stay in memory, and the next drain tries again.
  void drain();
  // Waits for the background compile under way; none follows. Lookups go on.
  void stop_background();

 private:
  struct Implementation;
  [[nodiscard]] Implementation& of_this_process();
  ProcessLocal<Implementation> implementation_;
};

}  // namespace attentune
