// What goes in comes out: publishes, lookups, misses, pruning.
#include <thread>

#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {

void check_same(const Measurement& a, const Measurement& b) { CHECK(to_text(a) == to_text(b)); }

void round_trip(Store& store) {
  const Record record = sample_record(1);
  const std::int64_t id = store.publish(record);

  const auto stored = store.find_measurement(id);
  REQUIRE(stored);
  check_same(stored->measurement, record.measurement);
  CHECK(stored->class_text == record.class_text);
  CHECK(stored->bucket_text == record.bucket_text);
  CHECK(stored->session == "test");
  CHECK(stored->measured_at > 1'600'000'000);

  CHECK_FALSE(store.find_winner(key_of(record)));
  store.set_winner(id, 3.0);
  const auto winner = store.find_winner(key_of(record));
  REQUIRE(winner);
  check_same(winner->measurement, record.measurement);
  CHECK(winner->default_ms == 3.0);
  CHECK(winner->class_text == record.class_text);

  const auto binary = store.load_binary(record.binary->key);
  REQUIRE(binary);
  CHECK(metadata_text(*binary) == metadata_text(*record.binary));
  CHECK(binary->object == record.binary->object);
  CHECK(store.load_source(record.binary->key) == record.source_text);
  CHECK_FALSE(store.load_binary(std::string(64, '0')));
  CHECK_FALSE(store.load_source(std::string(64, '0')));
}

}  // namespace

TEST_CASE("a publish comes back as it was, in a file and in memory") {
  const Directory directory;
  round_trip(*Store::in_memory());
  round_trip(*Store::open(options(directory / "store.db")));
  round_trip(*Store::open(options(directory / "library.db", StoreMode::library)));
}

TEST_CASE("what one process stored another opens") {
  const Directory directory;
  const Record record = sample_record(1);
  {
    const auto store = Store::open(options(directory / "a/b/store.db"));
    CHECK(store->persistent());
    store->publish_winner(record, 2.0);
  }
  CHECK((fs::status(directory / "a/b/store.db").permissions() & fs::perms::mask) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK((fs::status(directory / "a/b").permissions() & fs::perms::mask) == fs::perms::owner_all);
  for (const StoreMode mode : {StoreMode::read_only, StoreMode::library, StoreMode::read_write}) {
    const auto store = Store::open(options(directory / "a/b/store.db", mode));
    CHECK(store->find_winner(key_of(record)));
    CHECK(store->load_binary(record.binary->key));
    CHECK(store->persistent() == (mode != StoreMode::read_only));
  }
}

TEST_CASE("every outcome and odd numbers keep their row") {
  const auto store = Store::in_memory();
  for (const Outcome outcome :
       {Outcome::ok, Outcome::wrong, Outcome::compile_failed, Outcome::refused, Outcome::faulted, Outcome::timed_out}) {
    Record loser = sample_record(static_cast<int>(outcome));
    loser.binary.reset();
    loser.measurement.outcome = outcome;
    loser.measurement.error = std::numeric_limits<double>::infinity();
    loser.measurement.detail = "line\nline 'quoted' \"twice\" \xc3\xa9";
    const std::int64_t id = store->publish(loser);
    const auto stored = store->find_measurement(id);
    REQUIRE(stored);
    CHECK(stored->measurement.outcome == outcome);
    CHECK(stored->measurement.detail == loser.measurement.detail);
    CHECK(stored->measurement.error == loser.measurement.error);
  }
  Record odd = sample_record(9);
  odd.measurement.error = std::numeric_limits<double>::quiet_NaN();
  CHECK(store->find_measurement(store->publish(odd))->measurement.error == std::numeric_limits<double>::infinity());

  CHECK(store->measurements_of(key_of(odd)).size() == 7);
  CHECK(store->measurements().size() == 7);
  CHECK(store->stats().binaries == 1);  // losers brought none

  const auto quarantine = store->quarantine();
  REQUIRE(quarantine.size() == 2);
  CHECK(quarantine[0].faulted + quarantine[0].timed_out == 1);
  CHECK(store->failures_of(sample_binary(static_cast<int>(Outcome::faulted)).key, odd.bucket_text, sample_device) == 1);
  CHECK(store->failures_of(odd.binary->key, odd.bucket_text, sample_device) == 0);
}

TEST_CASE("winners of a class are those of its buckets on that device and policy") {
  const auto store = Store::in_memory();
  store->publish_winner(sample_record(1, 1024), 0);
  store->publish_winner(sample_record(2, 4096), 0);
  Record other_device = sample_record(3, 8192);
  other_device.measurement.device = "gpu name=H100 arch=sm_90a";
  store->publish_winner(other_device, 0);
  Record other_class = sample_record(4, 8192);
  other_class.class_text = "dtype=f16";
  store->publish_winner(other_class, 0);
  Record other_policy = sample_record(5, 8192);
  other_policy.measurement.policy = "host-2";
  store->publish_winner(other_policy, 0);

  CHECK(store->winners().size() == 5);
  const auto found = store->winners_of_class(sample_class, sample_device, "host-1");
  REQUIRE(found.size() == 2);
  CHECK(found[0].bucket_text == sample_record(1, 1024).bucket_text);
  CHECK(found[1].bucket_text == sample_record(2, 4096).bucket_text);
}

TEST_CASE("a better measurement replaces the winner, and both rows stay") {
  const auto store = Store::in_memory();
  store->publish_winner(sample_record(2), 9);
  const std::string before = store->snapshot_hash();
  store->publish_winner(sample_record(1), 9);
  CHECK(store->winners().size() == 1);
  CHECK(store->find_winner(key_of(sample_record(1)))->measurement.config == sample_record(1).measurement.config);
  CHECK(store->measurements().size() == 2);
  CHECK(store->snapshot_hash() != before);
}

TEST_CASE("the snapshot hash depends on the kernels chosen, not on times, order or losers") {
  const auto a = Store::in_memory();
  const auto b = Store::in_memory();
  CHECK(a->snapshot_hash() == b->snapshot_hash());
  a->publish_winner(sample_record(1, 1024), 1);
  a->publish_winner(sample_record(2, 4096), 1);
  b->publish(sample_record(7, 4096));
  b->publish_winner(sample_record(2, 4096), 5);
  Record slower = sample_record(1, 1024);
  slower.measurement.time_ms *= 1.1;
  b->publish_winner(slower, 2);
  CHECK(a->snapshot_hash() == b->snapshot_hash());
  CHECK(a->snapshot_hash().size() == 64);
}

TEST_CASE("publishing many is all or nothing") {
  const auto store = Store::in_memory();
  Record bad = sample_record(2);
  bad.binary->key = "short";
  bad.measurement.binary_key = "short";
  CHECK(contains(error_of([&] { store->publish(std::vector<Record>{sample_record(1), bad}); }), "refuses"));
  CHECK(store->measurements().empty());
  CHECK(store->stats().binaries == 0);
  CHECK(store->publish(std::vector<Record>{sample_record(1), sample_record(2)}).size() == 2);
}

TEST_CASE("publishing the same binary again keeps its source and its pin") {
  const auto store = Store::in_memory();
  Record record = sample_record(1);
  store->publish(record);
  CHECK(store->pin(record.binary->key, true));
  CHECK_FALSE(store->pin(std::string(64, '0'), true));
  record.source_text.clear();
  store->publish(record);
  CHECK(store->load_source(record.binary->key) == "; source 1");
  const auto binaries = store->binaries();
  REQUIRE(binaries.size() == 1);
  CHECK(binaries[0].pinned);
  CHECK(binaries[0].has_source);
  CHECK(binaries[0].family == "forward_host");
  CHECK_FALSE(binaries[0].of_winner);
}

TEST_CASE("misses count up a bucket and go when the bucket has a winner") {
  const auto store = Store::in_memory();
  const Record record = sample_record(1);
  Miss miss{record.class_text, record.bucket_text, sample_device, "problem 1", "attentune tune 1", 1};
  store->record_miss(miss);
  miss.problem = "problem 2";
  miss.command = "attentune tune 2";
  store->record_miss(miss);
  miss.bucket_text = "elsewhere";
  store->record_miss(miss);
  const auto misses = store->misses();
  REQUIRE(misses.size() == 2);
  CHECK(misses[0].count == 2);
  CHECK(misses[0].problem == "problem 2");
  CHECK(misses[0].command == "attentune tune 2");
  store->publish_winner(record, 0);
  CHECK(store->misses().size() == 1);
  store->forget_misses();
  CHECK(store->misses().empty());
}

TEST_CASE("pruning evicts the least recently used and never a winner or a pinned one") {
  const Directory directory;
  const std::string path = directory / "store.db";
  constexpr std::size_t size = 100'000;
  const auto store = Store::open(options(path));
  for (int n = 0; n < 10; ++n)
    store->publish(sample_record(n, 4096, size));
  store->publish_winner(sample_record(0, 4096, size), 0);
  CHECK(store->pin(sample_binary(1).key, true));
  // Seconds are too coarse for a test: say when each was used.
  for (int n = 0; n < 10; ++n) {
    tamper(path, "UPDATE binaries SET last_used = " + std::to_string(1000 + n) + " WHERE key = '" +
                     sample_binary(n).key + "'");
  }
  CHECK(store->load_binary(sample_binary(2).key));  // now the latest
  const auto before = fs::file_size(path) + fs::file_size(path + "-wal");

  const PruneReport report = store->prune(620'000);
  CHECK(report.bytes_before > 1'000'000);
  CHECK(report.bytes_after <= 620'000);
  CHECK(report.evicted == 5);
  for (const int kept : {0, 1, 2, 8, 9})
    CHECK(store->load_binary(sample_binary(kept).key));
  for (const int gone : {3, 4, 5, 6, 7})
    CHECK_FALSE(store->load_binary(sample_binary(gone).key));
  CHECK(store->measurements().size() == 11);
  CHECK(fs::file_size(path) < before / 2);

  store->prune(0);
  CHECK(store->stats().binaries == 2);
  CHECK(store->verify(false).sound());
}

TEST_CASE("the size cap holds while publishing") {
  const Directory directory;
  StoreOptions capped = options(directory / "store.db");
  capped.size_cap_bytes = 400'000;
  const auto store = Store::open(capped);
  store->publish_winner(sample_record(0, 4096, 100'000), 0);
  for (int n = 1; n < 20; ++n)
    store->publish(sample_record(n, 4096, 100'000));
  CHECK(store->stats().file_bytes <= 400'000);
  CHECK(store->load_binary(sample_binary(0).key));
  CHECK(store->load_binary(sample_binary(19).key));
  CHECK(store->measurements().size() == 20);
}

TEST_CASE("a binary over the limit and one with another key are errors") {
  const auto store = Store::in_memory();
  Record huge = sample_record(1);
  huge.binary->object.resize((std::size_t{64} << 20U) + 1);
  CHECK(contains(error_of([&] { store->publish(huge); }), "over the Store's limit"));
  Record mixed = sample_record(1);
  mixed.measurement.binary_key = sample_binary(2).key;
  CHECK_FALSE(error_of([&] { store->publish(mixed); }).empty());
  CHECK(store->measurements().empty());
}

TEST_CASE("a read-only Store is not written") {
  const Directory directory;
  const Record record = sample_record(1);
  Store::open(options(directory / "store.db"))->publish(record);
  const auto store = Store::open(options(directory / "store.db", StoreMode::read_only));
  CHECK(contains(error_of([&] { store->publish(record); }), "for reading only"));
  CHECK(contains(error_of([&] { store->prune(0); }), "for reading only"));
  CHECK(store->measurements().size() == 1);
}

TEST_CASE("several threads share one Store") {
  const Directory directory;
  const auto store = Store::open(options(directory / "store.db"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int n = 0; n < 25; ++n) {
        const Record record = sample_record(100 * t + n, 64 + t);
        store->publish_winner(record, 0);
        if (!store->find_winner(key_of(record)) || !store->load_binary(record.binary->key))
          std::abort();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(store->measurements().size() == 100);
  CHECK(store->winners().size() == 4);
  CHECK(store->verify(false).sound());
}

}  // namespace attentune::test
