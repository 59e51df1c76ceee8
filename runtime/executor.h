// Executor: where a host Kernel's tasks run. The caller may supply one; the default is a lazily started pool.
#pragma once

#include <cstdint>
#include <memory>

namespace attentune {

// A task body: worker is in [0, workers), unique among bodies running at one time; runs tasks [begin, end).
using TaskBody = void (*)(void* context, int worker, std::int64_t begin, std::int64_t end);

class Executor {
 public:
  virtual ~Executor() = default;
  // Most bodies that run at one time.
  [[nodiscard]] virtual int workers() const noexcept = 0;
  // Runs every task in [0, tasks) exactly once, claimed in runs of `grain`, and returns when all have ended. Threads
  // may call it at the same time; a body may not call it. grain >= 1.
  virtual void parallel_for(std::int64_t tasks, std::int64_t grain, TaskBody body, void* context) = 0;
};

// Runs on the caller's thread.
[[nodiscard]] Executor& inline_executor() noexcept;
// An asio thread pool of `threads` workers (the caller is one of them); threads start at the first use, fewer where the
// system starts no more. 0 = one per CPU this process may run on. A forked child may go on with it, whatever the
// parent's threads were doing: it starts threads of its own.
[[nodiscard]] std::unique_ptr<Executor> make_pool(int threads);

}  // namespace attentune
