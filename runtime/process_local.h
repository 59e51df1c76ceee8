// ProcessLocal: something with locks or threads, of which a forked child gets its own.
//
// Threads do not survive fork. A lock that one of the parent's threads held stays locked in the child for ever, and
// even destroying it may wait for ever. So a child leaves the parent's T behind, with all it owns, and begins another.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <utility>

namespace attentune {

template <typename T>
class ProcessLocal {
 public:
  template <typename... Arguments>
  explicit ProcessLocal(Arguments&&... arguments)
      : owned_(new Owned{.process = getpid(), .value = T(std::forward<Arguments>(arguments)...)}) {}
  ~ProcessLocal() {
    const Owned* const owned = owned_.load(std::memory_order_acquire);
    if (owned->process == getpid()) {
      delete owned;
    }
  }
  ProcessLocal(const ProcessLocal&) = delete;
  ProcessLocal& operator=(const ProcessLocal&) = delete;

  // This process's own, from any thread. The first call in a child makes it: `make(parents)`, which may look at nothing
  // in `parents` that needs a lock. Otherwise the cost is that of getpid().
  template <typename Make>
  [[nodiscard]] T& get(const Make& make) {
    Owned* found = owned_.load(std::memory_order_acquire);
    const pid_t process = getpid();
    if (found->process == process) {
      return found->value;
    }
    auto* const made = new Owned{.process = process, .value = make(std::as_const(found->value))};
    if (owned_.compare_exchange_strong(found, made, std::memory_order_acq_rel)) {
      return made->value;
    }
    delete made;  // another thread of this process was first
    return found->value;
  }
  [[nodiscard]] T& get() {
    return get([](const T&) { return T(); });
  }

  // The last one made, perhaps the parent's: for what needs no lock. Costs a load.
  [[nodiscard]] const T& peek() const noexcept { return owned_.load(std::memory_order_acquire)->value; }

 private:
  struct Owned {
    pid_t process;
    T value;
  };
  std::atomic<Owned*> owned_;
};

}  // namespace attentune
