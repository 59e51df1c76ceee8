// Several processes, and processes that die.
#include <sys/file.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <random>
#include <thread>

#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {
std::string setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}
}  // namespace

// Publishes winners, and tells through a file of one byte each how many were committed.
TEST_CASE("helper: publish until killed or done" * doctest::skip()) {
  const std::string path = setting("TEST_STORE");
  if (path.empty())
    return;
  const int first = std::stoi(setting("TEST_FIRST"));
  const int count = std::stoi(setting("TEST_COUNT"));
  const int told = ::open(setting("TEST_TOLD").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REQUIRE(told >= 0);
  const auto store = Store::open(options(path));
  for (int n = first; n < first + count; ++n) {
    store->publish_winner(sample_record(n, 64 + n % 7, 30'000), 0);
    REQUIRE(::write(told, "x", 1) == 1);
  }
  ::close(told);
}

TEST_CASE("kill -9 loses nothing that was committed") {
  const Directory directory;
  const std::string path = directory / "store.db";
  std::mt19937 random(20240607);
  std::size_t committed_before = 0;
  for (int round = 0; round < 12; ++round) {
    const std::string told = directory / ("told" + std::to_string(round));
    const pid_t child = start_helper("helper: publish until killed or done",
                                     {"TEST_STORE=" + path, "TEST_TOLD=" + told,
                                      "TEST_FIRST=" + std::to_string(round * 100'000), "TEST_COUNT=100000"});
    // Sometimes while it is being made, sometimes in the middle of the work.
    for (int wait = 0; round % 2 == 1 && !fs::exists(told) && wait < 5000; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 160));
    ::kill(child, SIGKILL);
    CHECK(wait_for(child) == -SIGKILL);

    std::vector<std::string> messages;
    const auto store = Store::open(options(path, StoreMode::read_write, &messages));
    for (const std::string& message : messages)
      MESSAGE(message);
    CHECK(messages.empty());
    const std::size_t said = read_bytes(told).size();
    const std::size_t rows = store->measurements().size();
    CHECK(rows >= committed_before + said);
    CHECK(rows <= committed_before + said + 1);  // one may be committed and not yet told
    CHECK(store->stats().binaries == static_cast<std::int64_t>(rows));
    const VerifyReport report = store->verify(false);
    CHECK(report.sound());
    for (const auto& winner : store->winners())
      CHECK(store->load_binary(winner.measurement.binary_key));
    committed_before = rows;
  }
  CHECK(committed_before > 0);
}

TEST_CASE("four processes publish into a new Store at once") {
  const Directory directory;
  const std::string path = directory / "store.db";
  std::vector<pid_t> children;
  constexpr int each = 40;
  for (int p = 0; p < 4; ++p) {
    children.push_back(start_helper("helper: publish until killed or done",
                                    {"TEST_STORE=" + path, "TEST_TOLD=" + (directory / ("told" + std::to_string(p))),
                                     "TEST_FIRST=" + std::to_string(p * 1000), "TEST_COUNT=" + std::to_string(each)}));
  }
  for (const pid_t child : children)
    CHECK(wait_for(child) == 0);
  const auto store = Store::open(options(path));
  CHECK(store->measurements().size() == 4 * each);
  CHECK(store->stats().binaries == 4 * each);
  CHECK(store->winners().size() == 7);
  CHECK(store->verify(false).sound());
}

TEST_CASE("two processes that meet a damaged Store move it aside once") {
  const Directory directory;
  const std::string path = directory / "store.db";
  {
    const auto store = Store::open(options(path));
    for (int n = 0; n < 10; ++n)
      store->publish(sample_record(n, 64, 20'000));
  }
  fs::resize_file(path, fs::file_size(path) / 2);
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    children.push_back(start_helper("helper: publish until killed or done",
                                    {"TEST_STORE=" + path, "TEST_TOLD=" + (directory / ("told" + std::to_string(p))),
                                     "TEST_FIRST=" + std::to_string(p * 1000), "TEST_COUNT=10"}));
  }
  for (const pid_t child : children)
    CHECK(wait_for(child) == 0);
  CHECK(fs::exists(path + ".corrupt-1"));
  CHECK_FALSE(fs::exists(path + ".corrupt-2"));
  CHECK(Store::open(options(path))->measurements().size() == 40);
}

namespace {
// A lock as another process would hold it, until it is dropped.
class Held {
 public:
  Held(const std::string& path, int operation) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    REQUIRE(::flock(descriptor_, operation) == 0);
  }
  void drop() { ::flock(descriptor_, LOCK_UN); }
  ~Held() { ::close(descriptor_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  int descriptor_;
};

// The Error's sentence, or "waits" when opening took longer than this many seconds and `lock` had to be dropped for it.
std::string open_error_within(int seconds, const StoreOptions& how, Held& lock) {
  auto opening = std::async(std::launch::async, [&] { return open_error(how); });
  if (opening.wait_for(std::chrono::seconds(seconds)) == std::future_status::ready)
    return opening.get();
  lock.drop();
  static_cast<void>(opening.get());
  return "waits";
}
}  // namespace

TEST_CASE("openings do not wait for a lock on the directory: `flock DIR attentune` holds it") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Held lock(directory.path(), LOCK_EX);
  for (const StoreMode mode : {StoreMode::read_write, StoreMode::library, StoreMode::read_only})
    CHECK(open_error_within(20, options(path, mode), lock).empty());
}

TEST_CASE("openings wait for who keeps the lock no longer than the busy timeout") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1, 64, 20'000));
  StoreOptions impatient = options(path);
  impatient.busy_timeout = std::chrono::milliseconds(50);
  Held lock(path + "-lock", LOCK_EX);
  for (const StoreMode mode : {StoreMode::read_write, StoreMode::library, StoreMode::read_only}) {
    impatient.mode = mode;
    CHECK(open_error_within(20, impatient, lock).empty());
  }

  // But nothing is moved aside meanwhile.
  fs::resize_file(path, fs::file_size(path) / 2);
  impatient.mode = StoreMode::read_write;
  const std::string sentence = open_error_within(20, impatient, lock);
  CHECK(contains(sentence, "is damaged and cannot be moved aside while other processes open it; "));
  CHECK(contains(sentence, "fuser " + path + "-lock"));
  CHECK_FALSE(fs::exists(path + ".corrupt-1"));
  lock.drop();
  CHECK(open_error(impatient).empty());
  CHECK(fs::exists(path + ".corrupt-1"));
}

TEST_CASE("a reader in the way of the write-ahead log does not hold an opening up") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1));
  tamper(path, "PRAGMA journal_mode=DELETE");
  const Connection reader = Connection::open(path, Connection::Access::read, std::chrono::seconds(1));
  reader.execute("BEGIN");
  REQUIRE(reader.integer("SELECT count(*) FROM measurements") == 1);
  StoreOptions patient = options(path);
  patient.busy_timeout = std::chrono::seconds(1);
  const auto begun = std::chrono::steady_clock::now();
  {
    const auto store = Store::open(patient);  // tries 50 times, which at a busy timeout each would be 50 s
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(25));
    reader.execute("COMMIT");
    store->publish(sample_record(2));
  }
  CHECK(Store::open(patient)->measurements().size() == 2);
}

TEST_CASE("a Store does not survive fork") {
  const Directory directory;
  const std::string path = directory / "store.db";
  auto store = Store::open(options(path));
  store->publish(sample_record(1));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int failures = 0;
    try {
      store->publish(sample_record(2));
      ++failures;
    } catch (const Error& error) {
      if (error.status() != Status::misuse)
        ++failures;
    }
    try {
      static_cast<void>(store->find_winner(key_of(sample_record(1))));
      ++failures;
    } catch (const Error& error) {
      if (error.status() != Status::misuse)
        ++failures;
    }
    store.reset();
    try {
      if (Store::open(options(path))->measurements().size() != 1)
        ++failures;
    } catch (const Error&) {
      ++failures;
    }
    ::_exit(failures);
  }
  CHECK(wait_for(child) == 0);
  store->publish(sample_record(3));
  CHECK(store->measurements().size() == 2);
  CHECK(store->verify(false).sound());
}

TEST_CASE("a write waits for another process's transaction, and says so when it waited in vain") {
  const Directory directory;
  const std::string path = directory / "store.db";
  StoreOptions patient = options(path);
  patient.busy_timeout = std::chrono::milliseconds(50);
  const auto store = Store::open(patient);
  store->publish_winner(sample_record(1), 0);
  const Connection other = Connection::open(path, Connection::Access::write, std::chrono::seconds(1));
  other.execute("BEGIN IMMEDIATE");
  CHECK(contains(error_of([&] { store->publish(sample_record(2)); }), "written by another process"));
  CHECK(store->find_winner(key_of(sample_record(1))));  // reading never waits
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    other.execute("COMMIT");
  });
  later.join();
  store->publish(sample_record(2));
  CHECK(store->measurements().size() == 2);
}

}  // namespace attentune::test
