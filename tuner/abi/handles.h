// What stands behind the opaque handles of the C interface.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "generator/problem.h"
#include "runtime/device.h"
#include "runtime/kernel.h"
#include "runtime/process_local.h"
#include "runtime/runtime.h"
#include "tuner/abi/attentune.h"
#include "tuner/abi/caller_executor.h"
#include "tuner/miss_handler.h"

namespace attentune::abi {

// The caller's log function, until its runtime is released.
class CallerLog {
 public:
  using Function = void (*)(void* user, const char* sentence);
  CallerLog(Function log, void* user) : sink_(log, user) {}
  void operator()(std::string_view sentence);
  // Returns when no call is under way; none follows.
  void silence();
  // Is this thread inside a log function, whosever?
  [[nodiscard]] static bool is_inside() noexcept;
  // Throws Error(misuse) if so: what is asked for may wait for a lookup that waits to log, or for the very one that
  // logs.
  static void refuse_inside(const char* function);

 private:
  struct Sink {
    Sink(Function function, void* context) : log(function), user(context) {}
    std::mutex mutex;  // held while the caller's function runs
    Function log;
    void* user;
  };
  [[nodiscard]] Sink& sink();
  ProcessLocal<Sink> sink_;
};

// All that kernels and bindings need. Destroyed from the bottom up: the Runtime's threads end before what they use.
struct RuntimeState {
  std::shared_ptr<CallerLog> log;                   // null: the environment's, or none
  std::unique_ptr<CallerExecutor> executor;         // null: the device's own pool
  std::unique_ptr<TuningMissHandler> miss_handler;  // null: no tuning
  std::unique_ptr<Runtime> runtime;
};

// Throws what attentune_runtime_create reports.
[[nodiscard]] std::shared_ptr<RuntimeState> open_runtime(const attentune_options& options);

}  // namespace attentune::abi

struct attentune_runtime {
  std::shared_ptr<attentune::abi::RuntimeState> state;
};

struct attentune_problem {
  attentune::Problem problem;
};

struct attentune_kernel {
  std::shared_ptr<attentune::abi::RuntimeState> state;  // owns the variant
  const attentune::Variant* variant;
  mutable std::once_flag described;  // texts are made when first asked for: lookups are hot, descriptions are not
  mutable std::string config;
  mutable std::string trust;
  mutable std::string provenance;
};

struct attentune_binding {
  std::shared_ptr<attentune::abi::RuntimeState> state;
  attentune::DeviceBuffer workspace;  // null with a caller's
  attentune::Binding binding;
};
