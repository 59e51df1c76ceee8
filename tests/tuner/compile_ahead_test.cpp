#include "tuner/compile_ahead.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

using namespace attentune;
using namespace std::chrono_literals;

namespace {

std::vector<Config> numbered(const int count) {
  std::vector<Config> configs;
  for (int n = 0; n < count; ++n) {
    configs.push_back(parse_config("n=" + std::to_string(n)));
  }
  return configs;
}

Built built(const Config& config) {
  return {.config = config, .binary_key = {}, .source_text = {}, .binary = {}, .skipped = false, .failure = {}};
}

}  // namespace

TEST_CASE("builds are delivered in order, whatever order they end in") {
  CompileAhead ahead(
      numbered(20),
      [](const Config& config) {
        std::this_thread::sleep_for(config.integer("n") % 3 == 0 ? 5ms : 0ms);
        return built(config);
      },
      4, 4);
  for (int n = 0; n < 20; ++n) {
    const auto next = ahead.next();
    REQUIRE(next);
    CHECK(next->config.integer("n") == n);
  }
  CHECK_FALSE(ahead.next());
}

TEST_CASE("no more than the bound is built ahead, and a destructor does not wait for the rest") {
  std::atomic<int> builds = 0;
  {
    CompileAhead ahead(
        numbered(1000),
        [&](const Config& config) {
          ++builds;
          return built(config);
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
      [&](const Config& config) {
        ++running;
        std::this_thread::sleep_for(2ms);
        ++builds;
        --running;
        return built(config);
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
