// A forked child that runs a piece of a test, and ends whatever happens.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

// Fork in a threaded program is beyond what TSan follows: tests of it are left out there.
#include "tests/sanitizers.h"

namespace attentune::test {

// Did `body` return true in a child? False too when it threw or hung: then an alarm ends the child.
template <typename Body>
[[nodiscard]] bool holds_in_child(const Body& body) {
  constexpr unsigned hung_s = 60;
  const pid_t child = fork();
  if (child == 0) {
    alarm(hung_s);
    try {
      _exit(body() ? 0 : 1);
    } catch (...) {
      _exit(2);
    }
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace attentune::test
