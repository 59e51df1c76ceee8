#include "runtime/executor.h"

#include <sched.h>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/process_local.h"

namespace attentune {
namespace {

class InlineExecutor final : public Executor {
 public:
  [[nodiscard]] int workers() const noexcept override { return 1; }
  void parallel_for(std::int64_t tasks, std::int64_t grain, TaskBody body, void* context) override {
    const std::int64_t step = std::max<std::int64_t>(grain, 1);
    for (std::int64_t begin = 0; begin < tasks; begin += step) {
      body(context, 0, begin, std::min(tasks, begin + step));
    }
  }
};

int usable_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// One call of parallel_for: runs are claimed from one counter.
struct Job {
  std::int64_t tasks;
  std::int64_t grain;
  TaskBody body;
  void* context;
  alignas(64) std::atomic<std::int64_t> next{0};

  void work(int worker) {
    for (;;) {
      const std::int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= tasks)
        return;
      body(context, worker, begin, std::min(tasks, begin + grain));
    }
  }
};

// The room asio takes for one posted helper. Reused by every call, so that a launch allocates nothing.
struct Slot {
  static constexpr std::size_t bytes = 256;
  alignas(std::max_align_t) std::array<std::byte, bytes> room;
  bool posted = false;  // and not begun
  bool wanted = false;  // by the call at hand: to be posted
};

template <typename T>
struct SlotAllocator {
  using value_type = T;
  Slot* slot;

  explicit SlotAllocator(Slot* room) noexcept : slot(room) {}
  template <typename U>
  SlotAllocator(const SlotAllocator<U>& other) noexcept : slot(other.slot) {}  // NOLINT: a rebind converts

  T* allocate(std::size_t count) noexcept {
    static_assert(sizeof(T) <= Slot::bytes);
    return count == 1 ? reinterpret_cast<T*>(slot->room.data()) : nullptr;
  }
  void deallocate(T*, std::size_t) noexcept {}
  template <typename U>
  bool operator==(const SlotAllocator<U>& other) const noexcept {
    return slot == other.slot;
  }
};

// What helpers touch. The caller waits for helpers that have begun, never for one that is still waking up: by then
// small calls are done. That one serves the call it finds, or none.
class Crew {
 public:
  // Fewer threads start where the system allows no more (a limit on processes or memory); asio's own would then wait
  // for the started ones for ever.
  explicit Crew(int helpers) : slots_(static_cast<std::size_t>(helpers)) {
    threads_.reserve(slots_.size());
    try {
      while (threads_.size() < slots_.size())
        threads_.emplace_back([this] { pool_.attach(); });
    } catch (const std::exception&) {
      return;  // the work is done by those there are
    }
  }
  ~Crew() { pool_.stop(); }

  [[nodiscard]] int helpers() const noexcept { return static_cast<int>(threads_.size()); }

  // One call at a time; `helpers` of the crew, at least 1, are asked to join it.
  void run(Job& job, int helpers) {
    open(job, helpers);
    for (int helper = 1; helper <= helpers; ++helper) {
      Slot& slot = slots_[static_cast<std::size_t>(helper - 1)];
      if (slot.wanted)
        asio::post(pool_, Helper{this, helper, &slot});
    }
    job.work(0);
    std::unique_lock lock(state_);
    job_ = nullptr;
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  // One helper's part of the call it finds; asio takes its room through get_allocator and returns it before it begins.
  struct Helper {
    using allocator_type = SlotAllocator<std::byte>;
    Crew* crew;
    int worker;
    Slot* slot;

    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(slot); }
    void operator()() const {
      Job* const job = crew->join(*slot);
      if (job == nullptr)
        return;
      job->work(worker);
      const std::lock_guard lock(crew->state_);
      if (--crew->running_ == 0)
        crew->ended_.notify_one();
    }
  };

  // Helpers may join from here on. Those that still wait to begin will, and are not posted again: all at once under the
  // lock, or one could join twice, under one worker's number.
  void open(Job& job, int helpers) {
    const std::lock_guard lock(state_);
    job_ = &job;
    for (int helper = 0; helper < helpers; ++helper) {
      Slot& slot = slots_[static_cast<std::size_t>(helper)];
      slot.wanted = !std::exchange(slot.posted, true);
    }
  }

  // The helper of this slot begins: with the call at hand, if there is one. From then on the caller waits for it.
  Job* join(Slot& slot) {
    const std::lock_guard lock(state_);
    slot.posted = false;
    running_ += job_ != nullptr ? 1 : 0;
    return job_;
  }

  std::mutex state_;
  std::condition_variable ended_;
  Job* job_ = nullptr;  // the call at hand
  int running_ = 0;     // helpers in it
  std::vector<Slot> slots_;
  asio::thread_pool pool_{0};
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

// Calls are served one after another, so worker ids are unique whoever calls: the caller is worker 0, helpers 1..n-1.
class Pool final : public Executor {
 public:
  explicit Pool(int threads) : workers_(threads > 0 ? threads : usable_cpus()) {}

  [[nodiscard]] int workers() const noexcept override { return workers_; }

  void parallel_for(std::int64_t tasks, std::int64_t grain, TaskBody body, void* context) override {
    if (tasks <= 0)
      return;
    const std::int64_t step = std::max<std::int64_t>(grain, 1);
    Calls& calls = calls_.get();
    const std::lock_guard one_call(calls.mutex);
    const std::int64_t runs = tasks / step + (tasks % step != 0 ? 1 : 0);
    const int wanted = static_cast<int>(std::min<std::int64_t>(workers_ - 1, runs - 1));
    if (wanted > 0 && !calls.crew)
      calls.crew = std::make_unique<Crew>(workers_ - 1);
    const int helpers = wanted > 0 ? std::min(wanted, calls.crew->helpers()) : 0;
    Job job{.tasks = tasks, .grain = step, .body = body, .context = context};
    if (helpers == 0)
      job.work(0);
    else
      calls.crew->run(job, helpers);
  }

 private:
  struct Calls {
    std::mutex mutex;  // held during a call
    std::unique_ptr<Crew> crew;
  };

  const int workers_;
  ProcessLocal<Calls> calls_;
};

}  // namespace

Executor& inline_executor() noexcept {
  static InlineExecutor executor;
  return executor;
}

std::unique_ptr<Executor> make_pool(int threads) { return std::make_unique<Pool>(threads); }

}  // namespace attentune
