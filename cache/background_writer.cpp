#include "cache/background_writer.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "generator/error.h"

namespace attentune {

namespace {

struct KeptBinary {
  Binary binary;
  std::string source_text;
};
struct Maintain {};
using Work = std::variant<KeptBinary, Miss, Maintain>;

struct Job {
  std::uint64_t number = 0;
  Work work;
};

void perform(Store& store, const Work& work) {
  if (const auto* const kept = std::get_if<KeptBinary>(&work))
    store.keep_binary(kept->binary, kept->source_text);
  else if (const auto* const miss = std::get_if<Miss>(&work))
    store.record_miss(*miss);
  else
    store.maintain();
}

}  // namespace

struct BackgroundWriter::Impl {
  std::shared_ptr<Store> store;
  MessageSink message;
  std::size_t capacity = 0;
  pid_t process = ::getpid();

  mutable std::mutex mutex;
  std::condition_variable wake;     // the thread: there is work, or an end
  std::condition_variable settled;  // flush(): the queue moved or stalled
  std::deque<Job> queue;            // in order; the front stays until it is in the Store
  std::uint64_t submitted = 0;      // number of the last job
  std::uint64_t retired = 0;        // every job up to this number left the queue
  std::size_t dropped = 0;
  bool working = false;
  bool stalled = false;  // the Store failed: wait for the next job or flush before trying again
  std::string failure;   // why it stalled last
  bool stopping = false;
  bool reported = false;
  std::thread thread;

  bool submit(Work work) noexcept;
  void run() noexcept;
  void report(const std::string& sentence) noexcept;
};

// Called without the mutex: a sink may take its time.
void BackgroundWriter::Impl::report(const std::string& sentence) noexcept {
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(reported, true))
      return;
  }
  try {
    if (message)
      message(sentence);
  } catch (...) {
    // A sink that throws has nobody here to tell.
  }
}

bool BackgroundWriter::Impl::submit(Work work) noexcept {
  if (process != ::getpid())
    return false;  // after fork there is no thread, and the mutex may be locked for ever
  try {
    std::unique_lock lock(mutex);
    if (const auto* const miss = std::get_if<Miss>(&work)) {
      for (std::size_t i = working ? 1 : 0; i < queue.size(); ++i) {  // the front may be on its way out
        auto* const waiting = std::get_if<Miss>(&queue[i].work);
        if (waiting == nullptr || waiting->class_text != miss->class_text ||
            waiting->bucket_text != miss->bucket_text || waiting->device != miss->device) {
          continue;
        }
        waiting->count += miss->count;
        waiting->problem = miss->problem;
        waiting->command = miss->command;
        return true;
      }
    }
    if (queue.size() >= capacity) {
      ++dropped;
      lock.unlock();
      report("what was learned could not be kept: " + std::to_string(capacity) + " writes already wait for the Store " +
             store->path());
      return false;
    }
    queue.push_back({submitted + 1, std::move(work)});
    ++submitted;
    stalled = false;
    if (!thread.joinable())
      thread = std::thread([this] { run(); });
    wake.notify_one();
    return true;
  } catch (...) {
    // No memory or no thread. A queued job waits for a thread that can be started later.
    return false;
  }
}

void BackgroundWriter::Impl::run() noexcept {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return stopping || (!queue.empty() && !stalled); });
    if (queue.empty() || stalled)
      return;  // stopping
    working = true;
    const Job& job = queue.front();  // a deque never moves its front while others are appended
    lock.unlock();

    std::string reason;
    bool try_again = false;
    try {
      perform(*store, job.work);
    } catch (const Error& error) {
      reason = error.what();
      // A row that the schema refuses would be refused for ever, and block all behind it.
      try_again = error.status() == Status::store_failed;
    } catch (const std::exception& error) {
      reason = error.what();
    }
    if (!reason.empty()) {
      report(reason + (try_again ? " (what is learned stays in memory until then)" : " (that row is dropped)"));
    }

    lock.lock();
    working = false;
    if (try_again) {
      stalled = true;
      failure = std::move(reason);
    } else {
      if (!reason.empty())
        ++dropped;
      retired = queue.front().number;
      queue.pop_front();
    }
    settled.notify_all();
  }
}

BackgroundWriter::BackgroundWriter(std::shared_ptr<Store> store, MessageSink message, std::size_t capacity)
    : impl_(std::make_unique<Impl>()) {
  impl_->store = std::move(store);
  impl_->message = std::move(message);
  impl_->capacity = capacity;
}

BackgroundWriter::~BackgroundWriter() {
  if (impl_->process != ::getpid()) {
    // The thread and whoever held the mutex stayed in the parent; both must be left as they are.
    static_cast<void>(impl_.release());
    return;
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->stalled = false;
  }
  impl_->wake.notify_one();
  if (!impl_->thread.joinable())
    return;
  // A program that ends must not hang on a locked file; a sound neighbour's transaction is over in milliseconds.
  const std::chrono::milliseconds usual = impl_->store->set_busy_timeout(std::chrono::seconds(2));
  impl_->thread.join();
  impl_->store->set_busy_timeout(usual);
}

bool BackgroundWriter::keep_binary(Binary binary, std::string source_text) noexcept {
  return impl_->submit(Work(KeptBinary{std::move(binary), std::move(source_text)}));
}
bool BackgroundWriter::record_miss(Miss miss) noexcept { return impl_->submit(Work(std::move(miss))); }
bool BackgroundWriter::maintain() noexcept { return impl_->submit(Work(Maintain{})); }

bool BackgroundWriter::flush() noexcept {
  if (impl_->process != ::getpid())
    return false;
  try {
    std::unique_lock lock(impl_->mutex);
    const std::uint64_t last = impl_->submitted;
    if (impl_->queue.empty())
      return true;
    if (!impl_->thread.joinable())
      impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
    // A failure from before this call may have passed; one that is met now counts.
    impl_->settled.wait(lock, [&] { return !impl_->working || impl_->retired >= last; });
    impl_->stalled = false;
    impl_->wake.notify_one();
    impl_->settled.wait(lock, [&] { return impl_->retired >= last || impl_->stalled; });
    return impl_->retired >= last;
  } catch (...) {
    return false;
  }
}

std::string BackgroundWriter::failure() const {
  if (impl_->process != ::getpid())
    return "the Store " + impl_->store->path() + " was opened before fork(); open it again in the child";
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->failure.empty())
    return impl_->failure;
  return "there is no memory or no thread to write the Store " + impl_->store->path() + "; try again when there is";
}

std::size_t BackgroundWriter::pending() const noexcept {
  if (impl_->process != ::getpid())
    return 0;
  const std::lock_guard lock(impl_->mutex);
  return impl_->queue.size();
}
std::size_t BackgroundWriter::dropped() const noexcept {
  if (impl_->process != ::getpid())
    return 0;
  const std::lock_guard lock(impl_->mutex);
  return impl_->dropped;
}

}  // namespace attentune
