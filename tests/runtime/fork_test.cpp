// What a forked child can still do with a Runtime and a JobQueue of its parent.
#include "tests/forked_child.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cache/store.h"
#include "generator/problem.h"
#include "runtime/job_queue.h"
#include "runtime/runtime.h"
#include "tests/runtime/fake_device.h"

#ifndef ATTENTUNE_UNDER_TSAN

using namespace attentune;
using namespace attentune::test;

namespace {

const char* const causal = "dtype=f32 batch=2 heads=8/2 head_dim=64 seq=500/1000 mask=causal()";
const char* const causal_decode = "dtype=f32 batch=2 heads=8/2 head_dim=64 seq=1/9000 mask=causal()";
const char* const windowed = "dtype=f32 batch=2 heads=8/2 head_dim=64 seq=500/1000 mask=causal()&window(100,0)";

// Stands in the way of a thread that is to be found at work by a fork.
class Gate {
 public:
  void pass() {
    reached_ = true;
    reached_.notify_all();
    open_.wait(false);
  }
  void wait_until_reached() const { reached_.wait(false); }
  void open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<bool> reached_{false};
  std::atomic<bool> open_{false};
};

struct Sentences {
  std::mutex mutex;
  std::vector<std::string> all;

  void add(const std::string_view sentence) {
    const std::lock_guard lock(mutex);
    all.emplace_back(sentence);
  }
  [[nodiscard]] std::size_t count(const std::string_view words) {
    const std::lock_guard lock(mutex);
    std::size_t found = 0;
    for (const std::string& sentence : all) {
      found += sentence.find(words) != std::string::npos ? 1 : 0;
    }
    return found;
  }
};

}  // namespace

TEST_CASE("fork: a child keeps the kernels, compiles what it misses and leaves the Store alone") {
  const auto device = std::make_shared<FakeDevice>();
  const std::shared_ptr<Store> store = Store::in_memory();
  Sentences said;
  auto runtime = std::make_unique<Runtime>(
      device, store, RuntimeOptions{.policy = MissPolicy::compile, .log = [&](std::string_view s) { said.add(s); }});
  const Variant& known = runtime->kernel(parse_problem(causal));
  static_cast<void>(runtime->kernel(parse_problem(causal_decode)));
  runtime->drain();
  const int compiles = device->compiles;
  REQUIRE(compiles == 2);  // one in the background: its thread waits for more
  CHECK(holds_in_child([&] { return &runtime->kernel(parse_problem(causal)) == &known; }));
  CHECK(holds_in_child([&] {
    static_cast<void>(runtime->kernel(parse_problem(windowed)));
    const Variant& kept = runtime->kernel(parse_problem(causal));
    runtime->drain();
    return device->compiles == compiles + 1 && kept.kernel == known.kernel && said.count("leaves it alone") == 1;
  }));
  CHECK(holds_in_child([&] {
    runtime.reset();
    return true;
  }));
  CHECK(holds_in_child([&] {
    static_cast<void>(runtime->kernel(parse_problem(windowed)));
    // A child's child leaves the child's behind.
    return holds_in_child([&] {
      Problem decode = parse_problem(windowed);
      decode.len_q = 1;
      static_cast<void>(runtime->kernel(decode));
      runtime->drain();
      runtime.reset();
      return true;
    });
  }));
  CHECK(said.count("leaves it alone") == 0);  // here
  static_cast<void>(runtime->kernel(parse_problem(windowed)));
  CHECK(device->compiles == compiles + 1);
  runtime->drain();
  CHECK(store->misses().size() == 3);
}

TEST_CASE("fork: a child resolves for itself what a thread of its parent was resolving") {
  const auto device = std::make_shared<FakeDevice>();
  Gate compiling;
  const pid_t parent = getpid();
  device->on_compile = [&] {
    if (getpid() == parent) {
      compiling.pass();
    }
  };
  Runtime runtime(device, nullptr, {});
  std::thread other([&] { static_cast<void>(runtime.kernel(parse_problem(causal))); });
  compiling.wait_until_reached();
  CHECK(holds_in_child([&] { return runtime.kernel(parse_problem(causal)).kernel != nullptr; }));
  compiling.open();
  other.join();
}

TEST_CASE("fork: under policy tune a child compiles, for the tuner stays with the parent") {
  class Tuner final : public MissHandler {
   public:
    int asked = 0;
    void tune(const TuneJob&, std::function<void()> done) override {
      ++asked;
      done();
    }
  } tuner;
  const auto device = std::make_shared<FakeDevice>();
  Sentences said;
  Runtime runtime(
      device, Store::in_memory(),
      {.policy = MissPolicy::tune, .log = [&](std::string_view s) { said.add(s); }, .miss_handler = &tuner});
  static_cast<void>(runtime.kernel(parse_problem(causal)));
  runtime.drain();
  REQUIRE(tuner.asked == 1);
  CHECK(holds_in_child([&] {
    static_cast<void>(runtime.kernel(parse_problem(windowed)));
    runtime.drain();
    return tuner.asked == 1 && said.count("policy tune acts as compile") == 1;
  }));
}

TEST_CASE("fork: a child finds a JobQueue empty, and may use it") {
  Gate job;
  JobQueue queue;  // it ends first, and its job with it
  CHECK(queue.push([&] { job.pass(); }));
  job.wait_until_reached();
  CHECK(queue.push([] {}));
  CHECK(holds_in_child([&] {
    queue.drain();
    bool ran = false;
    const bool pushed = queue.push([&] { ran = true; });
    queue.drain();
    queue.stop();
    return pushed && ran;
  }));
  auto other = std::make_unique<JobQueue>();
  CHECK(other->push([] {}));
  other->drain();  // from here on its thread waits for more
  CHECK(holds_in_child([&] {
    other.reset();
    return true;
  }));
  job.open();
}

#endif
