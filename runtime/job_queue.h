// JobQueue: one background thread, started by its first job, that runs jobs in order. A forked child finds it empty.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/process_local.h"

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
  struct Inside {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> jobs;
    bool busy = false;
    bool stopped = false;
    std::thread thread;

    void run();
  };
  ProcessLocal<Inside> inside_;
};

}  // namespace attentune
