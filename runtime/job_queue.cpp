#include "runtime/job_queue.h"

#include <exception>
#include <utility>

namespace attentune {

JobQueue::~JobQueue() { stop(); }

bool JobQueue::push(std::function<void()> job) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return false;
    }
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { run(); });
    }
    jobs_.push_back(std::move(job));
    changed_.notify_all();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void JobQueue::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && !busy_; });
}

void JobQueue::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    jobs_.clear();
    thread = std::move(thread_);
    changed_.notify_all();
  }
  if (thread.joinable()) {
    thread.join();
  }
}

void JobQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
    if (stopped_) {
      return;
    }
    {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      job();
    }
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace attentune
