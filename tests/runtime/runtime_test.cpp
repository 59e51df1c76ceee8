// Runtime: hits, misses and policies, on a device that compiles nothing.
#include "runtime/runtime.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cache/sqlite.h"
#include "cache/store.h"
#include "generator/error.h"
#include "generator/key.h"
#include "runtime/kernel_provider.h"
#include "tests/runtime/allocation_count.h"
#include "tests/runtime/fake_device.h"

using namespace attentune;

namespace {

const char* const causal = "dtype=f32 batch=2 heads=8/2 head_dim=64 seq=500/1000 mask=causal()";
const char* const windowed = "dtype=f32 batch=2 heads=8/2 head_dim=64 seq=500/1000 mask=causal()&window(100,0)";

struct Fixture {
  std::shared_ptr<test::FakeDevice> device = std::make_shared<test::FakeDevice>();
  std::shared_ptr<Store> store = Store::in_memory();
  RuntimeOptions options;

  std::unique_ptr<Runtime> open(const MissPolicy policy = MissPolicy::heuristic) {
    options.policy = policy;
    return std::make_unique<Runtime>(device, store, options);
  }

  Config default_config(const Problem& problem) const {
    return family_for(problem, device->arch()).default_config(representative(problem), device->arch());
  }

  // Some other point of the space that compiles to other code.
  Config other_config(const Problem& problem) const {
    const Config own = default_config(problem);
    Config other;
    family_for(problem, device->arch())
        .space(representative(problem), device->arch())
        .for_each([&](const Config& config) {
          other = config;
          return config.compile_text() == own.compile_text();
        });
    return other;
  }

  // A verified Winner of the problem's bucket, as a tune would store it.
  void store_winner(const Problem& problem, const Config& config, const std::string& key = "",
                    const bool damaged = false) {
    const Problem bucket = representative(problem);
    const KernelFamily& family = family_for(bucket, device->arch());
    const Rendering rendering = render(family, bucket, config, device->arch(), *device);
    Binary binary = device->compile(rendering.source);
    --device->compiles;
    binary.key = key.empty() ? rendering.key : key;
    binary.family = family.name();
    binary.launches = rendering.source.launches;
    if (damaged) {
      binary.object = {'b', 'a', 'd'};
    }
    Record record;
    record.class_text = class_text(bucket);
    record.bucket_text = to_text(bucket_of(bucket));
    record.measurement.binary_key = binary.key;
    record.measurement.family = binary.family;
    record.measurement.config = to_text(config);
    record.measurement.problem = to_text(bucket);
    record.measurement.device = to_text(device->identity());
    record.measurement.policy = "warm1";
    record.measurement.time_ms = 1.5;
    record.measurement.verified = true;
    record.session = "test";
    record.binary = std::move(binary);
    record.source_text = rendering.source.text;
    store->publish_winner(record, 2.0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "runtime: the first lookup compiles the default, the next ones hit") {
  const auto runtime = open();
  const Problem problem = parse_problem(causal);
  const Variant& first = runtime->kernel(problem);
  CHECK(first.provenance == Provenance::default_config);
  CHECK(first.trust == Trust::compiled_only);
  CHECK(first.tuned_ms == 0);
  CHECK(first.bucket == bucket_of(problem));
  CHECK(to_text(first.kernel->config()) == to_text(default_config(problem)));
  CHECK(&runtime->kernel(problem) == &first);
  Problem same_bucket = problem;
  same_bucket.len_kv = 1001;
  CHECK(&runtime->kernel(same_bucket) == &first);
  CHECK(device->compiles == 1);
  CHECK(runtime->counters().misses == 1);
  CHECK(runtime->counters().compiles == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a hit allocates nothing") {
  const auto runtime = open();
  for (const char* const line : {causal, windowed}) {
    const Problem problem = parse_problem(line);
    static_cast<void>(runtime->kernel(problem));
    const Problem again = parse_problem(line);  // shares no structure with the first
    const std::uint64_t before = test::allocations_of_thread();
    for (int n = 0; n < 100; ++n) {
      static_cast<void>(runtime->kernel(problem));
      static_cast<void>(runtime->kernel(again));
    }
    CHECK(test::allocations_of_thread() == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "runtime: what no family serves is refused, also a second time") {
  const auto runtime = open();
  for (int n = 0; n < 2; ++n) {
    CHECK_THROWS_AS((void)runtime->kernel(parse_problem("dtype=f32 heads=2 head_dim=4096 seq=8")), RefusalError);
  }
  Problem bad = parse_problem(causal);
  bad.heads_kv = 0;
  CHECK_THROWS_AS((void)runtime->kernel(bad), RefusalError);
  bad = parse_problem(causal);
  bad.len_kv = -5;
  CHECK_THROWS_AS((void)runtime->kernel(bad), RefusalError);
  CHECK(device->compiles == 0);
}

TEST_CASE_FIXTURE(Fixture, "runtime: sizes beyond a family's limits are refused, however well their class is known") {
  device = std::make_shared<test::FakeDevice>(gpu_arch("sm_80"));
  const auto runtime = open();
  const auto refusal_at = [&](const std::string& line) -> std::string {
    try {
      static_cast<void>(runtime->kernel(parse_problem(line)));
    } catch (const RefusalError& refusal) {
      return refusal.what();
    }
    return "";
  };
  const Variant& longest = runtime->kernel(parse_problem("dtype=bf16 heads=1 head_dim=8 seq=1/805306368"));
  CHECK(&runtime->kernel(parse_problem("dtype=bf16 heads=1 head_dim=8 seq=1/805306367")) == &longest);
  for (const std::string length : {"805306369", "1000000000", "1073741824", "1073741825"}) {
    const std::string sentence = refusal_at("dtype=bf16 heads=1 head_dim=8 seq=1/" + length);
    CHECK(sentence.find("seq=1/" + length + " is refused: forward_mma serves lengths to 805306368") !=
          std::string::npos);
    Problem problem = parse_problem("dtype=bf16 heads=1 head_dim=8 seq=1/" + length);
    CHECK_THROWS_AS((void)longest.kernel->workspace_bytes(problem), RefusalError);
  }
  // 5 x 400000000 rows would do, but what is tuned for their bucket has 6 x 402653184.
  CHECK(refusal_at("dtype=bf16 batch=5 heads=1 head_dim=8 seq=400000000/1").find("queries to 2147483647") !=
        std::string::npos);
  CHECK(refusal_at("dtype=bf16 batch=4 heads=1 head_dim=8 seq=400000000/1").empty());
}

TEST_CASE_FIXTURE(
    Fixture, "runtime: a growing length compiles once on the caller's thread and at most once a bucket behind it") {
  for (const MissPolicy policy : {MissPolicy::heuristic, MissPolicy::compile}) {
    CAPTURE(name(policy));
    device = std::make_shared<test::FakeDevice>();
    store = Store::in_memory();
    const auto runtime = open(policy);
    Problem problem = parse_problem(causal);
    problem.len_q = 1;
    std::set<std::int64_t> buckets;
    int after_first = 0;
    for (std::int64_t len = 1; len <= 4096; ++len) {
      problem.len_kv = len;
      static_cast<void>(runtime->kernel(problem));
      buckets.insert(round_to_bucket(len));
      after_first = len == 1 ? device->compiles.load() : after_first;
    }
    runtime->drain();
    CHECK(after_first == 1);
    CHECK(device->compiles <= static_cast<int>(buckets.size()));
    CHECK(runtime->counters().misses == buckets.size());
    // The caller compiled once; all else came from the one background thread.
    CHECK(device->compile_threads().size() <= 2);
    if (policy == MissPolicy::heuristic) {
      CHECK(device->compiles == 1);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "runtime: 100000 lengths leave memory flat") {
  const auto runtime = open();
  Problem problem = parse_problem(windowed);
  const auto sweep = [&] {
    for (std::int64_t len = 1; len <= 100'000; ++len) {
      problem.len_q = len;
      problem.len_kv = len;
      problem.mask.arguments[0] = len / 2;
      static_cast<void>(runtime->kernel(problem));
    }
  };
  sweep();
  const std::uint64_t misses = runtime->counters().misses;
  CHECK(misses < 100);
  CHECK(device->compiles == 1);
  const std::uint64_t before = test::allocations_of_thread();
  sweep();
  CHECK(test::allocations_of_thread() == before);
  CHECK(runtime->counters().misses == misses);
}

TEST_CASE_FIXTURE(Fixture, "runtime: threads that miss together compile once") {
  device->compile_ms = 30;
  const auto runtime = open();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&, n] {
      Problem problem = parse_problem(causal);
      problem.len_kv = 1000 + 1000 * (n % 2);
      for (int round = 0; round < 200; ++round) {
        const Variant& variant = runtime->kernel(problem);
        wrong += variant.bucket == bucket_of(problem) && variant.kernel ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
  CHECK(device->compiles == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: lookups race with classes and buckets being added") {
  const auto runtime = open(MissPolicy::compile);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&, n] {
      for (int round = 0; round < 400; ++round) {
        Problem problem = parse_problem(round % 2 == 0 ? causal : windowed);
        problem.head_dim_qk = problem.head_dim_v = 8 * (1 + (round + n) % 5);
        problem.len_kv = 1 + (round * 37 + n) % 5000;
        const Variant& variant = runtime->kernel(problem);
        wrong += variant.bucket == bucket_of(problem) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  runtime->drain();
  CHECK(wrong == 0);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a failed compile reaches every waiting thread, and the next lookup tries again") {
  device->compile_fails = true;
  device->compile_ms = 30;
  const auto runtime = open();
  const Problem problem = parse_problem(causal);
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      try {
        static_cast<void>(runtime->kernel(problem));
      } catch (const Error& error) {
        failed += error.status() == Status::compile_failed ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(failed == 4);
  device->compile_fails = false;
  CHECK(runtime->kernel(problem).kernel);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a miss is recorded with the exact command, from the background") {
  std::mutex mutex;
  std::vector<std::string> said;
  options.log = [&](const std::string_view sentence) {
    const std::lock_guard lock(mutex);
    said.emplace_back(sentence);
  };
  const auto runtime = open();
  static_cast<void>(runtime->kernel(parse_problem(windowed)));
  runtime->drain();
  const std::vector<Miss> misses = store->misses();
  REQUIRE(misses.size() == 1);
  const std::string command =
      "attentune tune 'dtype=f32 batch=2 heads=8/2 head_dim=64 seq=512/1024 mask=causal()&window(128,0)'";
  CHECK(misses[0].command == command);
  CHECK(misses[0].class_text == class_text(parse_problem(windowed)));
  const std::lock_guard lock(mutex);
  REQUIRE(said.size() == 1);
  CHECK(said[0].find(command) != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "runtime: policy fail serves what is stored and compiles nothing") {
  const Problem problem = parse_problem(causal);
  {
    const auto runtime = open(MissPolicy::fail);
    for (int n = 0; n < 2; ++n) {
      try {
        static_cast<void>(runtime->kernel(problem));
        FAIL("served");
      } catch (const Error& error) {
        CHECK(error.status() == Status::miss);
        CHECK(std::string(error.what()).find("attentune tune '") != std::string::npos);
      }
    }
    runtime->drain();
    REQUIRE(store->misses().size() == 1);
  }
  store_winner(problem, other_config(problem));
  const auto runtime = open(MissPolicy::fail);
  CHECK(runtime->kernel(problem).provenance == Provenance::exact_bucket);
  CHECK(device->compiles == 0);
}

TEST_CASE_FIXTURE(Fixture, "runtime: the winner of the bucket, else the nearest of the class") {
  const Problem problem = parse_problem(causal);
  const Config winner = other_config(problem);
  store_winner(problem, winner);
  const auto runtime = open();
  const Variant& exact = runtime->kernel(problem);
  CHECK(exact.provenance == Provenance::exact_bucket);
  CHECK(exact.trust == Trust::verified_here);
  CHECK(exact.tuned_ms == 1.5);
  CHECK(to_text(exact.kernel->config()) == to_text(winner));
  runtime->drain();
  CHECK(store->misses().empty());

  Problem longer = problem;
  longer.len_kv = 9000;
  const Variant& nearest = runtime->kernel(longer);
  CHECK(nearest.provenance == Provenance::nearest_bucket);
  CHECK(to_text(nearest.kernel->config()) == to_text(winner));
  CHECK(&nearest.kernel->module() == &exact.kernel->module());
  runtime->drain();
  CHECK(store->misses().size() == 1);
  CHECK(device->compiles == 0);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a kernel at hand is launched for the lengths at hand") {
  const Problem decode = parse_problem("dtype=f32 heads=8/2 head_dim=64 seq=1/20000");
  Problem prefill = decode;
  prefill.len_q = 5000;
  const auto runtime = open();
  const Variant& first = runtime->kernel(decode);
  REQUIRE(first.kernel->config().integer("split") > 1);
  // Partial results of 5000 rows for every split would take hundreds of megabytes.
  const Variant& second = runtime->kernel(prefill);
  CHECK(&second.kernel->module() == &first.kernel->module());
  CHECK(second.kernel->config() == first.kernel->config().with("split", "1"));
  CHECK(device->compiles == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: other launch choices than those verified are trusted less") {
  const Problem decode = parse_problem("dtype=f32 heads=8/2 head_dim=64 seq=1/20000");
  Problem prefill = decode;
  prefill.len_q = 5000;
  Problem longer = decode;
  longer.len_kv = 30000;
  store_winner(decode, default_config(decode).with("split", "8"));
  const auto runtime = open();
  CHECK(runtime->kernel(decode).trust == Trust::verified_here);
  CHECK(runtime->kernel(longer).trust == Trust::verified_here);
  CHECK(runtime->kernel(longer).kernel->config() == runtime->kernel(decode).kernel->config());
  CHECK(runtime->kernel(prefill).trust == Trust::compiled_only);
  CHECK(runtime->kernel(prefill).kernel->config() != runtime->kernel(decode).kernel->config());

  // Strict probes them before it serves them; the fake device launches nothing, so they fail.
  options.strict = true;
  const auto strict = open();
  CHECK(strict->kernel(decode).trust == Trust::verified_here);
  CHECK_THROWS_WITH_AS(static_cast<void>(strict->kernel(prefill)), doctest::Contains("fails verification"), Error);
}

TEST_CASE_FIXTURE(Fixture, "runtime: drain says when nothing could be stored, and stores it when it can") {
  std::string directory = "/tmp/attentune_drain_XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/store.db";
  store = Store::open({.path = path, .busy_timeout = std::chrono::milliseconds(20)});
  const auto runtime = open();
  {
    const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
    other.execute("BEGIN IMMEDIATE");
    static_cast<void>(runtime->kernel(parse_problem(causal)));
    try {
      runtime->drain();
      FAIL("nothing was stored and nothing said so");
    } catch (const Error& error) {
      CHECK(error.status() == Status::store_failed);
      CHECK(std::string(error.what()) == "what was learned is in memory only: the Store " + path +
                                             " is being written by another process; try again when it is done");
    }
    CHECK(store->binaries().empty());
    other.execute("COMMIT");
  }
  runtime->drain();
  CHECK(store->binaries().size() == 1);
  CHECK(store->misses().size() == 1);
  std::filesystem::remove_all(directory);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a stale winner is rendered and compiled again") {
  const Problem problem = parse_problem(causal);
  const Config winner = other_config(problem);
  store_winner(problem, winner, std::string(64, 'a'));
  const auto runtime = open();
  const Variant& stale = runtime->kernel(problem);
  CHECK(stale.provenance == Provenance::stale);
  CHECK(stale.trust == Trust::compiled_only);
  CHECK(to_text(stale.kernel->config()) == to_text(winner));
  CHECK(device->compiles == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a winner whose Config left the space is no winner") {
  const Problem problem = parse_problem(causal);
  {
    const Problem bucket = representative(problem);
    store_winner(problem, default_config(problem), std::string(64, 'b'));
    Record record;
    record.class_text = class_text(bucket);
    record.bucket_text = to_text(bucket_of(bucket));
    record.measurement.binary_key = std::string(64, 'b');
    record.measurement.family = "forward_host";
    record.measurement.config = "no_such_choice=1";
    record.measurement.problem = to_text(bucket);
    record.measurement.device = to_text(device->identity());
    record.measurement.policy = "warm1";
    record.measurement.time_ms = 1;
    record.measurement.verified = true;
    record.session = "test";
    store->publish_winner(record, 2.0);
  }
  const auto runtime = open();
  CHECK(runtime->kernel(problem).provenance == Provenance::default_config);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a damaged binary is compiled again, counted and stored anew") {
  const Problem problem = parse_problem(causal);
  store_winner(problem, other_config(problem), "", true);
  {
    const auto runtime = open();
    const Variant& variant = runtime->kernel(problem);
    CHECK(variant.provenance == Provenance::exact_bucket);
    CHECK(variant.trust == Trust::verified_here);
    CHECK(runtime->counters().healed == 1);
    CHECK(device->compiles == 1);
    runtime->drain();
  }
  const auto runtime = open();
  CHECK(runtime->kernel(problem).provenance == Provenance::exact_bucket);
  CHECK(runtime->counters().healed == 0);
  CHECK(device->compiles == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a default compiled once is loaded by the next process") {
  const Problem problem = parse_problem(causal);
  {
    const auto runtime = open();
    static_cast<void>(runtime->kernel(problem));
    runtime->drain();
  }
  const auto runtime = open();
  const Variant& variant = runtime->kernel(problem);
  CHECK(variant.provenance == Provenance::default_config);
  CHECK(device->compiles == 1);
  CHECK(runtime->counters().compiles == 0);
}

TEST_CASE_FIXTURE(Fixture, "runtime: without a store everything still works") {
  store = nullptr;
  const auto runtime = open(MissPolicy::compile);
  CHECK(runtime->kernel(parse_problem(causal)).kernel);
  runtime->drain();
}

TEST_CASE_FIXTURE(Fixture, "runtime: strict never serves a kernel that fails its probes") {
  options.strict = true;
  const auto runtime = open();
  // The fake device launches nothing, so outputs keep their poison.
  for (int n = 0; n < 2; ++n) {
    try {
      static_cast<void>(runtime->kernel(parse_problem("dtype=f32 heads=2 head_dim=8 seq=8")));
      FAIL("served");
    } catch (const Error& error) {
      CHECK(error.status() == Status::wrong);
    }
  }
}

namespace {

// Tunes at once, in the thread that asks.
class FakeTuner final : public MissHandler {
 public:
  std::function<void(const Problem&)> publish;
  std::vector<std::string> commands;
  bool refuses = false;

  void tune(const TuneJob& job, std::function<void()> done) override {
    if (refuses) {
      throw Error(Status::device_failed, "there is no worker");
    }
    commands.push_back(job.command);
    publish(job.problem);
    done();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "runtime: policy tune puts the new winner in the variant's place") {
  FakeTuner tuner;
  tuner.publish = [&](const Problem& problem) { store_winner(problem, other_config(problem)); };
  options.miss_handler = &tuner;
  const auto runtime = open(MissPolicy::tune);
  const Problem problem = parse_problem(causal);
  const Variant& first = runtime->kernel(problem);
  CHECK(first.provenance == Provenance::default_config);
  runtime->drain();
  const Variant& second = runtime->kernel(problem);
  CHECK(second.provenance == Provenance::exact_bucket);
  CHECK(second.trust == Trust::verified_here);
  CHECK(first.provenance == Provenance::default_config);  // still valid
  CHECK(tuner.commands == std::vector{tune_command(problem)});
}

TEST_CASE_FIXTURE(Fixture, "runtime: policy tune without a tuner compiles, with one sentence") {
  std::mutex mutex;
  int fell_back = 0;
  options.log = [&](const std::string_view sentence) {
    const std::lock_guard lock(mutex);
    fell_back += sentence.find("acts as compile") != std::string_view::npos ? 1 : 0;
  };
  FakeTuner tuner;
  tuner.refuses = true;
  options.miss_handler = &tuner;
  const auto runtime = open(MissPolicy::tune);
  Problem problem = parse_problem(causal);
  static_cast<void>(runtime->kernel(problem));
  problem.len_kv = 9000;
  static_cast<void>(runtime->kernel(problem));
  runtime->drain();
  const std::lock_guard lock(mutex);
  CHECK(fell_back == 1);
}

TEST_CASE_FIXTURE(Fixture, "runtime: a log that throws disturbs nothing") {
  options.log = [](std::string_view) { throw std::runtime_error("no"); };
  const auto runtime = open();
  CHECK(runtime->kernel(parse_problem(causal)).kernel);
}

TEST_CASE_FIXTURE(Fixture, "runtime: destruction with work under way") {
  device->compile_ms = 5;
  const auto runtime = open(MissPolicy::compile);
  Problem problem = parse_problem(causal);
  for (const std::int64_t len : {1, 100, 1000, 10'000, 100'000}) {
    problem.len_kv = len;
    static_cast<void>(runtime->kernel(problem));
  }
}
