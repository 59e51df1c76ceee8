#include "runtime/executor.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/forked_child.h"
#include "tests/sanitizers.h"

using namespace attentune;
using namespace attentune::test;

namespace {

// Counts how often each task ran and whether two bodies ever shared a worker id.
struct Ledger {
  explicit Ledger(std::int64_t tasks, int workers)
      : runs(static_cast<std::size_t>(tasks)), busy(static_cast<std::size_t>(workers)) {}

  std::vector<std::atomic<int>> runs;
  std::vector<std::atomic<int>> busy;
  std::vector<int> plain = std::vector<int>(64);  // per worker, not atomic: TSan sees shared ids
  std::atomic<bool> clash{false};
  std::atomic<std::int64_t> longest{0};

  static void body(void* context, int worker, std::int64_t begin, std::int64_t end) {
    auto& ledger = *static_cast<Ledger*>(context);
    auto& busy = ledger.busy.at(static_cast<std::size_t>(worker));
    if (busy.fetch_add(1) != 0)
      ledger.clash = true;
    ++ledger.plain.at(static_cast<std::size_t>(worker));
    std::int64_t longest = ledger.longest;
    while (longest < end - begin && !ledger.longest.compare_exchange_weak(longest, end - begin)) {
    }
    for (std::int64_t task = begin; task < end; ++task)
      ++ledger.runs.at(static_cast<std::size_t>(task));
    busy.fetch_sub(1);
  }

  [[nodiscard]] bool each_ran(int times) const {
    for (const auto& count : runs) {
      if (count != times)
        return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("every task runs exactly once, in runs of the grain") {
  for (const int threads : {1, 2, 5}) {
    const auto pool = make_pool(threads);
    CHECK(pool->workers() == threads);
    for (const std::int64_t tasks : {0, 1, 2, 7, 64, 1000}) {
      for (const std::int64_t grain : {1, 3, 64, 5000}) {
        CAPTURE(threads);
        CAPTURE(tasks);
        CAPTURE(grain);
        Ledger ledger(tasks, threads);
        pool->parallel_for(tasks, grain, Ledger::body, &ledger);
        CHECK(ledger.each_ran(1));
        CHECK_FALSE(ledger.clash);
        CHECK(ledger.longest <= grain);
      }
    }
  }
}

TEST_CASE("the inline executor stays on the caller's thread") {
  struct Seen {
    std::thread::id id = std::this_thread::get_id();
    std::int64_t tasks = 0;
  } seen;
  CHECK(inline_executor().workers() == 1);
  inline_executor().parallel_for(
      10, 4,
      [](void* context, int worker, std::int64_t begin, std::int64_t end) {
        auto& s = *static_cast<Seen*>(context);
        CHECK(worker == 0);
        CHECK(s.id == std::this_thread::get_id());
        s.tasks += end - begin;
      },
      &seen);
  CHECK(seen.tasks == 10);
}

TEST_CASE("several threads may call one pool; worker ids stay unique") {
  constexpr int callers = 4;
  const auto pool = make_pool(3);
  Ledger ledger(200, 3);
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        pool->parallel_for(200, 7, Ledger::body, &ledger);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(ledger.each_ran(callers * 50));
  CHECK_FALSE(ledger.clash);
}

TEST_CASE("zero threads means one per usable CPU, and an unused pool starts none") {
  const auto pool = make_pool(0);
  CHECK(pool->workers() >= 1);
}

#ifndef ATTENTUNE_UNDER_TSAN
namespace {

bool does_all(Executor& executor, int workers) {
  Ledger ledger(1000, workers);
  executor.parallel_for(1000, 3, Ledger::body, &ledger);
  return ledger.each_ran(1) && !ledger.clash;
}

}  // namespace

TEST_CASE("a pool works in a forked child, whether or not the parent had used it") {
  for (const bool used : {false, true}) {
    const auto pool = make_pool(3);
    if (used) {
      Ledger before(10, 3);
      pool->parallel_for(10, 1, Ledger::body, &before);
    }
    CHECK(holds_in_child([&] { return does_all(*pool, 3); }));
  }
}

// Helpers may still be waking up when a call has returned; what they hold then no child may wait for.
TEST_CASE("a pool works in a child forked while helpers wake up") {
  const auto nothing = [](void*, int, std::int64_t, std::int64_t) {};
  const auto pool = make_pool(32);
  for (int round = 0; round < 500; ++round) {
    pool->parallel_for(32, 1, nothing, nullptr);
    REQUIRE(holds_in_child([&] {
      pool->parallel_for(32, 1, nothing, nullptr);
      return true;
    }));
  }
}

TEST_CASE("a pool works in a child forked in the middle of another thread's call") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    struct Call {
      std::atomic<bool> begun{false};
      std::atomic<bool> may_end{false};
    } call;
    const auto pool = make_pool(threads);
    std::thread other([&] {
      pool->parallel_for(
          1, 1,
          [](void* context, int, std::int64_t, std::int64_t) {
            auto& c = *static_cast<Call*>(context);
            c.begun = true;
            c.begun.notify_one();
            c.may_end.wait(false);
          },
          &call);
    });
    call.begun.wait(false);
    CHECK(holds_in_child([&] { return does_all(*pool, threads); }));
    CHECK(holds_in_child([&] {  // two threads of the child at once
      bool did = false;
      std::thread second([&] { did = does_all(*pool, threads); });
      const bool did_too = does_all(*pool, threads);
      second.join();
      return did && did_too;
    }));
    call.may_end = true;
    call.may_end.notify_one();
    other.join();
  }
}

// A limit of memory leaves ASan no room.
#ifndef ATTENTUNE_UNDER_ASAN
TEST_CASE("where not all threads can start, those that did and the caller do the work") {
  constexpr int threads = 64;
  constexpr std::size_t stack_bytes = std::size_t{64} << 20;
  for (const std::size_t room_for : {0U, 3U}) {
    CAPTURE(room_for);
    CHECK(holds_in_child([&] {
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, stack_bytes);
      pthread_setattr_default_np(&attributes);
      std::size_t pages = 0;
      std::ifstream("/proc/self/statm") >> pages;
      const rlim_t limit =
          pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + room_for * stack_bytes + stack_bytes / 2;
      const rlimit memory{.rlim_cur = limit, .rlim_max = limit};
      setrlimit(RLIMIT_AS, &memory);
      const auto pool = make_pool(threads);
      return pool->workers() == threads && does_all(*pool, threads) && does_all(*pool, threads);
    }));
  }
}
#endif
#endif
