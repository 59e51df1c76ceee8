// exit() without the release of a runtime whose background work is under way: what Python does. The library is loaded
// as Python loads it; in a child, whose end is looked at.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "child_process.h"
#include "tests/forked_child.h"
#include "tuner/abi/attentune.h"

using namespace attentune::test;

namespace {

constexpr int work_goes_on = 3;
constexpr double patience_s = 120;

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

bool has_child() {
  siginfo_t ended{};
  return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::ptrdiff_t most_threads_at_end = 0;

// Registered before the library is loaded, so it runs when all that the library has registered has run.
void after_the_library() {
  if (threads() > most_threads_at_end || has_child()) {
    _exit(work_goes_on);
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));  // as the destructors of a large library
}

template <typename Function>
Function* function(void* const library, const char* const name) {
  void* const symbol = dlsym(library, name);
  REQUIRE_MESSAGE(symbol != nullptr, name);
  return reinterpret_cast<Function*>(symbol);
}

struct Library {
  void* handle = dlopen(ATTENTUNE_LIBRARY_PATH, RTLD_NOW | RTLD_LOCAL);
  decltype(attentune_runtime_create)* create =
      function<decltype(attentune_runtime_create)>(handle, "attentune_runtime_create");
  decltype(attentune_problem_parse)* parse =
      function<decltype(attentune_problem_parse)>(handle, "attentune_problem_parse");
  decltype(attentune_kernel_get)* get = function<decltype(attentune_kernel_get)>(handle, "attentune_kernel_get");
};

}  // namespace

TEST_CASE("child: ends with work in the background" * doctest::skip()) {
  const bool tunes = child_argument() == "tune";
  most_threads_at_end = threads() + (tunes ? 1 : 0);  // the writer of a Store may go on
  REQUIRE(std::atexit(after_the_library) == 0);
  const Library library;
  attentune_options options{};
  options.size = sizeof options;
  options.device = "host";
  options.store = tunes ? ":memory:" : "";
  options.policy = tunes ? ATTENTUNE_POLICY_TUNE : ATTENTUNE_POLICY_COMPILE;
  attentune_runtime* runtime = nullptr;
  REQUIRE(library.create(&options, &runtime) == ATTENTUNE_OK);
  // Of one class, so that the second is served by the first one's kernel while its own is compiled.
  for (const char* const text : {"dtype=f32 heads=2 head_dim=64 seq=64", "dtype=f32 heads=2 head_dim=64 seq=1/2000"}) {
    attentune_problem* problem = nullptr;
    REQUIRE(library.parse(text, &problem) == ATTENTUNE_OK);
    attentune_kernel* kernel = nullptr;
    REQUIRE(library.get(runtime, problem, &kernel) == ATTENTUNE_OK);
  }
  if (tunes) {
    REQUIRE(eventually(has_child, patience_s));
  }
#ifndef ATTENTUNE_UNDER_TSAN
  const pid_t forked = fork();
  if (forked == 0) {
    std::exit(0);  // without the threads that its parent waits for
  }
  REQUIRE(exit_of(forked, patience_s) == 0);
#endif
  std::exit(0);
}

TEST_CASE("a process ends in peace while something is compiled in the background") {
  CHECK(exit_of(start_child("child: ends with work in the background", "compile"), patience_s) == 0);
}

TEST_CASE("a process ends in peace while something is tuned in the background") {
  CHECK(exit_of(start_child("child: ends with work in the background", "tune"), patience_s) == 0);
}
