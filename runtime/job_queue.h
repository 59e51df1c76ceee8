// JobQueue: one background thread, started by its first job, that runs jobs in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace attentune {

class JobQueue {
 public:
  JobQueue() = default;
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // A job must not throw. False when it will not run: the queue was stopped, or there is no memory or thread for it.
  bool push(std::function<void()> job) noexcept;
  // Returns when every job pushed before, and by those, has ended. Not from a job.
  void drain();
  // Forgets jobs that have not begun, waits for the one that has, and takes no more.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace attentune
