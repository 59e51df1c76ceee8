#include "runtime/job_queue.h"

#include <exception>
#include <utility>

namespace attentune {

JobQueue::~JobQueue() { stop(); }

bool JobQueue::push(std::function<void()> job) noexcept {
  try {
    Inside& inside = inside_.get();
    const std::lock_guard lock(inside.mutex);
    if (inside.stopped) {
      return false;
    }
    if (!inside.thread.joinable()) {
      inside.thread = std::thread([&inside] { inside.run(); });
    }
    inside.jobs.push_back(std::move(job));
    inside.changed.notify_all();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void JobQueue::drain() {
  Inside& inside = inside_.get();
  std::unique_lock lock(inside.mutex);
  inside.changed.wait(lock, [&] { return inside.jobs.empty() && !inside.busy; });
}

void JobQueue::stop() {
  Inside& inside = inside_.get();
  std::thread thread;
  {
    const std::lock_guard lock(inside.mutex);
    inside.stopped = true;
    inside.jobs.clear();
    thread = std::move(inside.thread);
    inside.changed.notify_all();
  }
  if (thread.joinable()) {
    thread.join();
  }
}

void JobQueue::Inside::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return stopped || !jobs.empty(); });
    if (stopped) {
      return;
    }
    {
      const std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      busy = true;
      lock.unlock();
      job();
    }
    lock.lock();
    busy = false;
    changed.notify_all();
  }
}

}  // namespace attentune
