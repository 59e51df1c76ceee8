#include "tuner/abi/process_end.h"

#include <unistd.h>

#include <utility>

namespace attentune::abi {
namespace {

struct StopAtExit {
  std::weak_ptr<RuntimeState> state;
  pid_t process = getpid();  // a forked child inherits the entry, but not the threads
};

void stop(void* const argument) {
  const auto& entry = *static_cast<const StopAtExit*>(argument);
  const std::shared_ptr<RuntimeState> state = entry.process == getpid() ? entry.state.lock() : nullptr;
  // A log function that calls exit() would be waited for by itself.
  if (!state || CallerLog::is_inside()) {
    return;
  }
  if (state->log) {
    state->log->silence();
  }
  // In this order: a job hands a tune to the handler, never the other way round.
  state->runtime->stop_background();
  if (state->miss_handler) {
    state->miss_handler->stop();
  }
}

}  // namespace
}  // namespace attentune::abi

// The linker gives every __cxa_atexit of this library, LLVM and the C++ library included, the name with __wrap_ and the
// system's own the one with __real_ (--wrap, cmake/targets.cmake).
extern "C" {
extern void* __dso_handle;
int __real___cxa_atexit(void (*destroy)(void*), void* object, void* library);

// No static object of this library is ever destroyed. LLVM makes some of its tables in the middle of the first compile;
// registered then, their destructors would run before the function above has waited for that compile's end.
int __wrap___cxa_atexit(void (*)(void*), void*, void*) { return 0; }
}

void attentune::abi::stop_at_exit(std::weak_ptr<RuntimeState> state) {
  auto entry = std::make_unique<StopAtExit>(StopAtExit{.state = std::move(state)});
  // With the library's handle it also runs when the library is unloaded, before its code is gone.
  if (__real___cxa_atexit(stop, entry.get(), static_cast<void*>(&__dso_handle)) == 0) {
    (void)entry.release();
  }
}
