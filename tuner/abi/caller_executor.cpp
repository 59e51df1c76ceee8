#include "tuner/abi/caller_executor.h"

#include <atomic>
#include <string>

#include "generator/error.h"
#include "tuner/abi/guard.h"
#include "tuner/abi/sized_struct.h"

namespace attentune::abi {
namespace {

constexpr int most_workers = 65536;

struct CheckedBody {
  TaskBody body;
  void* context;
  int workers;
  std::int64_t tasks;
  std::atomic<std::int64_t> ran{0};
  std::atomic<bool> misused{false};
};

void run_checked(void* const context, const int worker, const std::int64_t begin, const std::int64_t end) {
  auto& checked = *static_cast<CheckedBody*>(context);
  if (worker < 0 || worker >= checked.workers || begin < 0 || end > checked.tasks || begin > end) {
    checked.misused.store(true, std::memory_order_relaxed);
    return;
  }
  checked.body(checked.context, worker, begin, end);
  checked.ran.fetch_add(end - begin, std::memory_order_relaxed);
}

}  // namespace

CallerExecutor::CallerExecutor(const attentune_executor* const executor)
    : executor_(read_sized(executor, sizeof(attentune_executor), "attentune_executor")) {
  if (executor_.workers < 1 || executor_.workers > most_workers) {
    throw Error(Status::misuse, "attentune_executor::workers is " + std::to_string(executor_.workers) +
                                    "; set it to the number of threads, from 1 to 65536");
  }
  need(executor_.parallel_for, "attentune_executor::parallel_for");
}

void CallerExecutor::parallel_for(const std::int64_t tasks, const std::int64_t grain, const TaskBody body,
                                  void* const context) {
  CheckedBody checked{.body = body, .context = context, .workers = executor_.workers, .tasks = tasks};
  executor_.parallel_for(executor_.user, tasks, grain, run_checked, &checked);
  if (checked.misused.load(std::memory_order_relaxed) || checked.ran.load(std::memory_order_relaxed) != tasks) {
    throw Error(Status::misuse,
                "the caller's executor ran " + std::to_string(checked.ran.load()) + " of " + std::to_string(tasks) +
                    " tasks, or used a worker or range out of bounds; run each once and return after the last");
  }
}

}  // namespace attentune::abi
