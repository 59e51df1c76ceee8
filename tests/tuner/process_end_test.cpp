// exit() without the release of a runtime whose background work is under way: what Python does. The library is loaded
// as Python loads it; in a child, whose end is looked at.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "child_process.h"
#include "tests/forked_child.h"
#include "tests/sanitizers.h"
#include "tuner/abi/attentune.h"

using namespace attentune::test;

namespace {

constexpr int work_goes_on = 3;
constexpr double patience_s = 120;

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
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

// The library, loaded and never closed, with a runtime that nobody need release.
class Loaded {
 public:
  Loaded(const char* const store, const attentune_policy policy) {
    attentune_options options{};
    options.size = sizeof options;
    options.device = "host";
    options.store = store;
    options.policy = policy;
    const auto create = function<decltype(attentune_runtime_create)>(library_, "attentune_runtime_create");
    REQUIRE(create(&options, &runtime_) == ATTENTUNE_OK);
  }

  void get(const char* const text) {
    attentune_problem* problem = nullptr;
    attentune_kernel* kernel = nullptr;
    const auto parse = function<decltype(attentune_problem_parse)>(library_, "attentune_problem_parse");
    const auto get = function<decltype(attentune_kernel_get)>(library_, "attentune_kernel_get");
    const auto release = function<decltype(attentune_kernel_release)>(library_, "attentune_kernel_release");
    REQUIRE(parse(text, &problem) == ATTENTUNE_OK);
    REQUIRE(get(runtime_, problem, &kernel) == ATTENTUNE_OK);
    release(kernel);
  }

  void release() {
    function<decltype(attentune_runtime_release)>(library_,
                                                  "attentune_runtime_release")(std::exchange(runtime_, nullptr));
  }

 private:
  void* library_ = dlopen(ATTENTUNE_LIBRARY_PATH, RTLD_NOW | RTLD_LOCAL);
  attentune_runtime* runtime_ = nullptr;
};

// Of one class, so that the second is served by the first one's kernel while its own is compiled.
constexpr const char* first = "dtype=f32 heads=2 head_dim=64 seq=64";
constexpr const char* second = "dtype=f32 heads=2 head_dim=64 seq=1/2000";

// Under LeakSanitizer too: what is not released here is left on purpose.
pid_t start_leaving_child(const std::string& name, const std::string& argument) {
  setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
  const pid_t child = start_child(name, argument);
  unsetenv("LSAN_OPTIONS");
  return child;
}

}  // namespace

TEST_CASE("child: ends with work in the background" * doctest::skip()) {
  const bool tunes = child_argument() == "tune";
  most_threads_at_end = threads() + (tunes ? 1 : 0);  // the writer of a Store may go on
#ifdef ATTENTUNE_UNDER_TSAN
  ++most_threads_at_end;  // it has one of its own, from the first that a program starts
#endif
  REQUIRE(std::atexit(after_the_library) == 0);
  Loaded loaded(tunes ? ":memory:" : "", tunes ? ATTENTUNE_POLICY_TUNE : ATTENTUNE_POLICY_COMPILE);
  loaded.get(first);
  loaded.get(second);
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
  CHECK(exit_of(start_leaving_child("child: ends with work in the background", "compile"), patience_s) == 0);
}

TEST_CASE("a process ends in peace while something is tuned in the background") {
  CHECK(exit_of(start_leaving_child("child: ends with work in the background", "tune"), patience_s) == 0);
}

TEST_CASE("child: fills a Store" * doctest::skip()) {
  Loaded loaded(child_argument().c_str(), ATTENTUNE_POLICY_HEURISTIC);
  loaded.get(first);
  loaded.release();
}

TEST_CASE("child: ends in its first compile" * doctest::skip()) {
  std::istringstream words(child_argument());
  int milliseconds = 0;
  std::string store;
  words >> milliseconds >> store;
  Loaded loaded(store.c_str(), ATTENTUNE_POLICY_COMPILE);
  loaded.get(first);  // from the Store
  loaded.get(second);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  std::exit(0);
}

// LLVM makes tables when it first needs them. So whatever the moment, all that was made until then must outlive it.
TEST_CASE("a process ends in peace in the middle of its first compile") {
  const Folder folder;
  const std::string filled = folder.file("filled.db");
  REQUIRE(exit_of(start_leaving_child("child: fills a Store", filled), patience_s) == 0);
  for (int milliseconds = 10; milliseconds <= 200; milliseconds += 10) {
    CAPTURE(milliseconds);
    const std::string store = folder.file(std::to_string(milliseconds) + ".db");
    std::filesystem::copy(filled, store);
    CHECK(exit_of(start_leaving_child("child: ends in its first compile", std::to_string(milliseconds) + " " + store),
                  patience_s) == 0);
  }
}
