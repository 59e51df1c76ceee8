// CompileAhead: threads that build the next Configs while one is verified.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "generator/kernel_family.h"
#include "tuner/builder.h"

namespace attentune {

class CompileAhead {
 public:
  using Build = std::function<Built(const FamilyConfig&)>;

  // Delivers in the order of `configs`, whatever order the builds end in. At most `ahead` Built wait to be taken. Goes
  // on with fewer threads where the system gives no more; throws Error(out_of_memory) where it gives none.
  CompileAhead(std::vector<FamilyConfig> configs, Build build, int threads, std::size_t ahead);
  // Waits for builds in progress, begins no further one.
  ~CompileAhead();
  CompileAhead(const CompileAhead&) = delete;
  CompileAhead& operator=(const CompileAhead&) = delete;

  // The next one, waiting for it; nothing after the last.
  [[nodiscard]] std::optional<Built> next();

  // While one lives no build runs: on a host the kernel being timed has the machine to itself. Made on the thread that
  // calls next(); waits for builds in progress.
  class Pause {
   public:
    explicit Pause(CompileAhead* owner);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    CompileAhead* owner_;  // null: pauses nothing
  };

 private:
  void work();

  const std::vector<FamilyConfig> configs_;
  const Build build_;
  const std::size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, Built> done_;
  std::size_t begun_ = 0;  // configs_ up to here are taken by a thread
  std::size_t delivered_ = 0;
  int running_ = 0;
  int pauses_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // last: joined before what they use is destroyed
};

}  // namespace attentune
