#include "tuner/miss_handler.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "child_process.h"
#include "generator/bucket.h"
#include "generator/error.h"
#include "generator/key.h"
#include "runtime/device.h"
#include "tests/forked_child.h"

using namespace attentune;
using namespace attentune::test;

TEST_CASE("misses are tuned in the background and their Winners stored") {
  const auto device = open_device("host", {.threads = 2});
  const std::shared_ptr<Store> store = Store::in_memory();
  TuningMissHandler handler({.device = device,
                             .store = store,
                             .device_name = "host",
                             .worker_path = ATTENTUNE_CLI_PATH,
                             .budget = {.seconds = 30, .trials = 2},
                             .log = {}});
  std::atomic<int> done = 0;
  for (const char* const text : {"dtype=f32 heads=2 head_dim=16 seq=64", "dtype=f32 heads=2 head_dim=16 seq=96"}) {
    handler.tune({.problem = parse_problem(text), .command = ""}, [&] { ++done; });
  }
  CHECK(eventually([&] { return done == 2; }, 240));
  CHECK(store->winners().size() == 2);
}

TEST_CASE("without a worker a miss is refused with the reason") {
  TuningMissHandler handler({.device = open_device("host", {.threads = 1}), .store = Store::in_memory()});
  CHECK_THROWS_WITH_AS(handler.tune({}, [] {}), doctest::Contains("attentune command"), Error);
}

TEST_CASE("a worker that cannot be used is found with the first miss, said once, and refuses from then on") {
  std::atomic<int> sentences = 0;
  std::atomic<int> done = 0;
  TuningMissHandler handler({.device = open_device("host", {.threads = 1}),
                             .store = Store::in_memory(),
                             .device_name = "host",
                             .worker_path = "/bin/true",
                             .budget = {},
                             .log = [&](std::string_view) { ++sentences; }});
  const TuneJob job{.problem = parse_problem("dtype=f32 heads=2 head_dim=16 seq=64"), .command = ""};
  handler.tune(job, [&] { ++done; });
  CHECK(eventually([&] { return done == 1; }, 60));
  CHECK(sentences == 1);
  CHECK_THROWS_AS(handler.tune(job, [&] { ++done; }), Error);
}

TEST_CASE("an end in the middle of the work waits for none of it, and ends the worker") {
  std::atomic<int> done = 0;
  auto handler = std::make_unique<TuningMissHandler>(MissHandlerOptions{.device = open_device("host", {.threads = 2}),
                                                                        .store = Store::in_memory(),
                                                                        .device_name = "host",
                                                                        .worker_path = ATTENTUNE_CLI_PATH,
                                                                        .budget = {.seconds = 600, .trials = 1000},
                                                                        .log = {}});
  // One call takes some ten seconds, the first candidate more than a minute.
  handler->tune({.problem = parse_problem("dtype=f32 heads=1 head_dim=128 seq=65536"), .command = ""}, [&] { ++done; });
  REQUIRE(eventually([] { return has_child(); }, 120));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto begin = std::chrono::steady_clock::now();
  handler.reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  CHECK(done <= 1);
  CHECK_FALSE(has_child());
}

#ifndef ATTENTUNE_UNDER_TSAN
TEST_CASE("a forked child does not wait for the parent's thread") {
  std::atomic<int> done = 0;
  auto handler = std::make_unique<TuningMissHandler>(MissHandlerOptions{.device = open_device("host", {.threads = 1}),
                                                                        .store = Store::in_memory(),
                                                                        .device_name = "host",
                                                                        .worker_path = "/bin/true",
                                                                        .budget = {},
                                                                        .log = {}});
  handler->tune({.problem = parse_problem("dtype=f32 heads=2 head_dim=16 seq=64"), .command = ""}, [&] { ++done; });
  CHECK(eventually([&] { return done == 1; }, 60));
  sleep_a_little();  // by now, most likely, it waits for the next miss
  CHECK(holds_in_child([&] {
    handler.reset();
    return true;
  }));
}
#endif
