#include "tuner/compile_ahead.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include "child_process.h"
#include "generator/error.h"
#include "tests/sanitizers.h"

using namespace attentune;
using namespace attentune::test;
using namespace std::chrono_literals;

namespace {

std::vector<FamilyConfig> numbered(const int count) {
  std::vector<FamilyConfig> configs;
  for (int n = 0; n < count; ++n) {
    configs.push_back({.family = nullptr, .config = parse_config("n=" + std::to_string(n))});
  }
  return configs;
}

Built built(const FamilyConfig& candidate) {
  return {.candidate = candidate, .binary_key = {}, .source_text = {}, .binary = {}, .skipped = false, .failure = {}};
}

}  // namespace

TEST_CASE("builds are delivered in order, whatever order they end in") {
  CompileAhead ahead(
      numbered(20),
      [](const FamilyConfig& candidate) {
        std::this_thread::sleep_for(candidate.config.integer("n") % 3 == 0 ? 5ms : 0ms);
        return built(candidate);
      },
      4, 4);
  for (int n = 0; n < 20; ++n) {
    const auto next = ahead.next();
    REQUIRE(next);
    CHECK(next->candidate.config.integer("n") == n);
  }
  CHECK_FALSE(ahead.next());
}

TEST_CASE("no more than the bound is built ahead, and a destructor does not wait for the rest") {
  std::atomic<int> builds = 0;
  {
    CompileAhead ahead(
        numbered(1000),
        [&](const FamilyConfig& candidate) {
          ++builds;
          return built(candidate);
        },
        2, 3);
    REQUIRE(ahead.next());
    std::this_thread::sleep_for(50ms);
    CHECK(builds <= 4);
  }
  CHECK(builds <= 4);
}

TEST_CASE("nothing is built during a pause") {
  std::atomic<int> running = 0;
  std::atomic<int> builds = 0;
  CompileAhead ahead(
      numbered(50),
      [&](const FamilyConfig& candidate) {
        ++running;
        std::this_thread::sleep_for(2ms);
        ++builds;
        --running;
        return built(candidate);
      },
      3, 6);
  for (int n = 0; n < 10; ++n) {
    REQUIRE(ahead.next());
    const CompileAhead::Pause pause(&ahead);
    CHECK(running == 0);
    const int before = builds;
    std::this_thread::sleep_for(5ms);
    CHECK(builds == before);
  }
  const CompileAhead::Pause nothing(nullptr);
}

// Sanitizers map memory as they please.
#ifndef ATTENTUNE_SANITIZED
namespace {

// While one lives this process may map only so much more memory: a new thread's stack takes 8 MiB.
class MemoryLimit {
 public:
  explicit MemoryLimit(const rlim_t more_bytes) {
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    set(pages * 4096 + more_bytes);
  }
  ~MemoryLimit() { set(RLIM_INFINITY); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  static void set(const rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  }
};

}  // namespace

// Run by the next test case in a process of its own, that has no stacks of ended threads to use again.
TEST_CASE("child: builds where threads are short" * doctest::skip()) {
  const std::vector<FamilyConfig> configs = numbered(200);
  const auto deliver_under = [&](const rlim_t more_bytes) {
    const MemoryLimit limit(more_bytes);
    CompileAhead ahead(configs, built, 128, 8);
    int delivered = 0;
    while (ahead.next()) {
      ++delivered;
    }
    return delivered;
  };
  CHECK_THROWS_WITH_AS((void)deliver_under(rlim_t{1} << 20), doctest::Contains("no thread can be started"), Error);
  CHECK(deliver_under(rlim_t{100} << 20) == 200);
}

TEST_CASE("where threads are short fewer build, and none is an error") {
  CHECK(exit_of(start_child("child: builds where threads are short", ""), 60) == 0);
}
#endif
