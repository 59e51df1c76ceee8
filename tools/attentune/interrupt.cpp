#include "tools/attentune/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace attentune {
namespace {

// A function-local static, so that it exists before any handler is installed and no order of initialization matters.
std::atomic<bool>& flag() {
  static std::atomic<bool> interrupted{false};
  return interrupted;
}
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

void on_signal(int) { flag().store(true, std::memory_order_relaxed); }

}  // namespace

const std::atomic<bool>& catch_interrupts() {
  flag().store(false);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int number : {SIGINT, SIGTERM})
    sigaction(number, &action, nullptr);
  return flag();
}

}  // namespace attentune
