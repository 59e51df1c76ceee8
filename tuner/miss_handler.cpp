#include "tuner/miss_handler.h"

#include <exception>

#include "generator/error.h"
#include "tuner/worker_path.h"

namespace attentune {

TuningMissHandler::TuningMissHandler(MissHandlerOptions options) : options_(std::move(options)) {
  if (options_.worker_path.empty()) {
    unusable_ = worker_absent_sentence();
  }
}

TuningMissHandler::~TuningMissHandler() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  waiting_.clear();
  changed_.notify_all();
}

void TuningMissHandler::say(const std::string& sentence) const {
  if (options_.log) {
    options_.log(sentence);
  }
}

void TuningMissHandler::tune(const TuneJob& job, std::function<void()> done) {
  const std::lock_guard lock(mutex_);
  if (!unusable_.empty()) {
    throw Error(Status::device_failed, unusable_);
  }
  waiting_.push_back({.job = job, .done = std::move(done)});
  if (!thread_.joinable()) {
    thread_ = std::jthread([this] { work(); });
  }
  changed_.notify_all();
}

void TuningMissHandler::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (stopping_) {
      return;
    }
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    const bool usable = unusable_.empty();
    lock.unlock();
    if (usable) {
      tune_one(next.job);
    }
    // Also after a failure: whoever waits for the tuning must not wait for ever.
    next.done();
    lock.lock();
  }
}

void TuningMissHandler::tune_one(const TuneJob& job) {
  TuneRequest request;
  request.problem = job.problem;
  request.budget = options_.budget;
  request.compile_threads = 1;  // the machine belongs to the program that missed
  request.device_name = options_.device_name;
  request.worker_path = options_.worker_path;
  request.cancelled = &stopping_;
  try {
    (void)attentune::tune(request, options_.device, *options_.store);
  } catch (const Error& error) {
    if (error.status() == Status::device_failed) {
      // Every later miss would fail alike: said once, and from now on tune() refuses.
      const std::lock_guard lock(mutex_);
      unusable_ = error.what();
    }
    say(std::string("background tuning failed: ") + error.what());
  } catch (const std::exception& exception) {
    say(std::string("background tuning failed: ") + exception.what());
  }
}

}  // namespace attentune
