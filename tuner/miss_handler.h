// TuningMissHandler: what policy `tune` does with a miss: tunes it in the background, one at a time, on a small budget.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "cache/store.h"
#include "runtime/device.h"
#include "runtime/process_local.h"
#include "runtime/runtime.h"
#include "tuner/tuner.h"

namespace attentune {

struct MissHandlerOptions {
  std::shared_ptr<const Device> device;
  std::shared_ptr<Store> store;      // never null
  std::string device_name = "host";  // as open_device takes it
  std::string worker_path;           // find_worker(PATH)
  TuneBudget budget{.seconds = 15, .trials = 32};
  std::function<void(std::string_view)> log;  // one sentence an event; may be empty; any thread
};

class TuningMissHandler final : public MissHandler {
 public:
  // Starts nothing: the thread and the worker come with the first miss.
  explicit TuningMissHandler(MissHandlerOptions options);
  // Drops the candidate in flight; waits for a compile in flight. Misses still waiting are not tuned, and nobody is
  // told.
  ~TuningMissHandler() override;

  // What the destructor does. From then on tune() throws Error(cancelled).
  void stop();

  // Throws Error(device_failed), once it is known, when there is no worker of this build: the Runtime then acts as
  // `compile` does.
  void tune(const TuneJob& job, std::function<void()> done) override;

 private:
  struct Waiting {
    TuneJob job;
    std::function<void()> done;
  };
  struct Inside {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Waiting> waiting;
    std::string unusable;  // why no worker can be used; "" as far as is known
    std::atomic<bool> stopping = false;
    std::jthread thread;  // last: joined before what it uses is destroyed
  };
  void work(Inside& inside) const;
  void tune_one(Inside& inside, const TuneJob& job) const;
  void say(const std::string& sentence) const;

  const MissHandlerOptions options_;
  ProcessLocal<Inside> inside_;
};

}  // namespace attentune
