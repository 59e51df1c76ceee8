#include "tuner/miss_handler.h"

#include <exception>

#include "generator/error.h"
#include "tuner/worker_path.h"

namespace attentune {

TuningMissHandler::TuningMissHandler(MissHandlerOptions options) : options_(std::move(options)) {
  if (options_.worker_path.empty()) {
    inside_.get().unusable = worker_absent_sentence();
  }
}

TuningMissHandler::~TuningMissHandler() { stop(); }

void TuningMissHandler::stop() {
  Inside& inside = inside_.get();
  std::jthread thread;  // joined without the lock
  const std::lock_guard lock(inside.mutex);
  inside.stopping = true;
  inside.waiting.clear();
  thread = std::move(inside.thread);
  inside.changed.notify_all();
}

void TuningMissHandler::say(const std::string& sentence) const {
  if (options_.log) {
    options_.log(sentence);
  }
}

void TuningMissHandler::tune(const TuneJob& job, std::function<void()> done) {
  Inside& inside = inside_.get();
  const std::lock_guard lock(inside.mutex);
  if (!inside.unusable.empty()) {
    throw Error(Status::device_failed, inside.unusable);
  }
  if (inside.stopping) {
    throw Error(Status::cancelled, "the tuner has been stopped");
  }
  inside.waiting.push_back({.job = job, .done = std::move(done)});
  if (!inside.thread.joinable()) {
    inside.thread = std::jthread([this, &inside] { work(inside); });
  }
  inside.changed.notify_all();
}

void TuningMissHandler::work(Inside& inside) const {
  std::unique_lock lock(inside.mutex);
  for (;;) {
    inside.changed.wait(lock, [&] { return inside.stopping || !inside.waiting.empty(); });
    if (inside.stopping) {
      return;
    }
    const Waiting next = std::move(inside.waiting.front());
    inside.waiting.pop_front();
    const bool usable = inside.unusable.empty();
    lock.unlock();
    if (usable) {
      tune_one(inside, next.job);
    }
    // Also after a failure: whoever waits for the tuning must not wait for ever.
    next.done();
    lock.lock();
  }
}

void TuningMissHandler::tune_one(Inside& inside, const TuneJob& job) const {
  TuneRequest request;
  request.problem = job.problem;
  request.budget = options_.budget;
  request.compile_threads = 1;  // the machine belongs to the program that missed
  request.device_name = options_.device_name;
  request.worker_path = options_.worker_path;
  request.cancelled = &inside.stopping;
  try {
    (void)attentune::tune(request, options_.device, *options_.store);
  } catch (const Error& error) {
    if (error.status() == Status::device_failed) {
      // Every later miss would fail alike: said once, and from now on tune() refuses.
      const std::lock_guard lock(inside.mutex);
      inside.unusable = error.what();
    }
    say(std::string("background tuning failed: ") + error.what());
  } catch (const std::exception& exception) {
    say(std::string("background tuning failed: ") + exception.what());
  }
}

}  // namespace attentune
