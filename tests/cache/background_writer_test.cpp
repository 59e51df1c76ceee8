// The background writer: nothing on the caller's thread, nothing lost, nothing thrown.
#include "cache/background_writer.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {

Miss sample_miss(int n) {
  return {sample_class, "bucket " + std::to_string(n), sample_device, "problem", "attentune tune", 1};
}

// Collects sentences from another thread.
class Sink {
 public:
  [[nodiscard]] MessageSink sink() {
    return [this](std::string_view text) {
      const std::lock_guard lock(mutex_);
      sentences_.emplace_back(text);
    };
  }
  [[nodiscard]] std::vector<std::string> sentences() const {
    const std::lock_guard lock(mutex_);
    return sentences_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> sentences_;
};

}  // namespace

TEST_CASE("what is queued is stored, in order, by flush and by the end") {
  const auto store = Store::in_memory();
  {
    BackgroundWriter writer(store);
    CHECK(writer.flush());  // nothing to do
    for (int n = 0; n < 20; ++n)
      CHECK(writer.keep_binary(sample_binary(n), "; source " + std::to_string(n)));
    CHECK(writer.flush());
    CHECK(writer.pending() == 0);
    CHECK(store->binaries().size() == 20);
    for (int n = 0; n < 20; ++n)
      CHECK(writer.keep_binary(sample_binary(100 + n), "; source " + std::to_string(100 + n)));
  }
  CHECK(store->binaries().size() == 40);
  CHECK(store->load_source(sample_binary(119).key) == "; source 119");
}

TEST_CASE("misses of one bucket become one job and keep their count") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const auto store = Store::open(options(path, StoreMode::library));
  BackgroundWriter writer(store, {}, 8);
  {
    // Hold the file, so that the jobs wait.
    const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
    other.execute("BEGIN IMMEDIATE");
    for (int n = 0; n < 10'000; ++n)
      CHECK(writer.record_miss(sample_miss(n % 3)));
    CHECK(writer.pending() <= 4);
    other.execute("COMMIT");
  }
  CHECK(writer.flush());
  std::int64_t count = 0;
  for (const Miss& miss : store->misses())
    count += miss.count;
  CHECK(store->misses().size() == 3);
  CHECK(count == 10'000);
}

TEST_CASE("a failing Store: rows stay in memory, one report, and all is stored when it works again") {
  const Directory directory;
  const std::string path = directory / "store.db";
  StoreOptions impatient = options(path, StoreMode::library);
  impatient.busy_timeout = std::chrono::milliseconds(1);
  const auto store = Store::open(impatient);
  Sink sink;
  BackgroundWriter writer(store, sink.sink());
  {
    const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
    other.execute("BEGIN IMMEDIATE");
    for (int n = 0; n < 5; ++n)
      CHECK(writer.keep_binary(sample_binary(n), "; source " + std::to_string(n)));
    CHECK_FALSE(writer.flush());
    CHECK_FALSE(writer.flush());
    CHECK(contains(writer.failure(), "the Store " + path + " is being written by another process; try again"));
    CHECK(writer.pending() == 5);
    other.execute("COMMIT");
  }
  CHECK(writer.flush());
  CHECK(writer.pending() == 0);
  CHECK(writer.dropped() == 0);
  CHECK(store->binaries().size() == 5);
  REQUIRE(sink.sentences().size() == 1);
  CHECK(contains(sink.sentences()[0], "stays in memory"));
}

TEST_CASE("the end of a writer waits for a locked Store a moment, not the busy timeout") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const auto store = Store::open(options(path, StoreMode::library));
  auto writer = std::make_unique<BackgroundWriter>(store);
  const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
  other.execute("BEGIN IMMEDIATE");
  writer->keep_binary(sample_binary(1), "; source 1");
  const auto begun = std::chrono::steady_clock::now();
  writer.reset();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(20));
  CHECK(store->set_busy_timeout(std::chrono::seconds(1)) == StoreOptions{}.busy_timeout);
}

TEST_CASE("a row the schema refuses is dropped and does not block those behind it") {
  const auto store = Store::in_memory();
  Sink sink;
  BackgroundWriter writer(store, sink.sink());
  Binary nameless = sample_binary(1);
  nameless.key = "short";
  CHECK(writer.keep_binary(nameless, ""));
  CHECK(writer.keep_binary(sample_binary(2), "; source " + std::to_string(2)));
  CHECK(writer.flush());
  CHECK(writer.dropped() == 1);
  CHECK(store->binaries().size() == 1);
  CHECK(sink.sentences().size() == 1);
}

TEST_CASE("a full queue drops and reports instead of growing or waiting") {
  const Directory directory;
  const std::string path = directory / "store.db";
  StoreOptions impatient = options(path, StoreMode::library);
  impatient.busy_timeout = std::chrono::milliseconds(1);
  Sink sink;
  BackgroundWriter writer(Store::open(impatient), sink.sink(), 4);
  const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
  other.execute("BEGIN IMMEDIATE");
  int accepted = 0;
  for (int n = 0; n < 20; ++n)
    accepted += writer.keep_binary(sample_binary(n), "; source " + std::to_string(n)) ? 1 : 0;
  CHECK(accepted == 4);
  CHECK(writer.dropped() == 16);
  CHECK(sink.sentences().size() == 1);
  other.execute("COMMIT");
  CHECK(writer.flush());
}

TEST_CASE("many threads submit and flush at once") {
  const auto store = Store::in_memory();
  BackgroundWriter writer(store);
  std::vector<std::thread> threads;
  std::atomic<int> unflushed{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 50; ++n) {
        writer.keep_binary(sample_binary(t * 100 + n), "; source " + std::to_string(t * 100 + n));
        if (n % 10 == 0 && !writer.flush())
          ++unflushed;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(writer.flush());
  CHECK(unflushed == 0);
  CHECK(store->binaries().size() == 200);
}

TEST_CASE("in a forked child the writer says no and can be destroyed") {
  const auto store = Store::in_memory();
  auto writer = std::make_unique<BackgroundWriter>(store);
  writer->keep_binary(sample_binary(1), "; source " + std::to_string(1));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool refused = !writer->keep_binary(sample_binary(2), "; source " + std::to_string(2)) && !writer->flush() &&
                         writer->pending() == 0;
    writer.reset();
    ::_exit(refused ? 0 : 1);
  }
  CHECK(wait_for(child) == 0);
  CHECK(writer->flush());
  CHECK(store->binaries().size() == 1);
}

}  // namespace attentune::test
