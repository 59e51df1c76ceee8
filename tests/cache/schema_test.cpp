// The schema: golden text, migrations, and the rules it enforces by itself.
#include "cache/schema.h"

#include <array>

#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {

std::string dump(const Connection& connection) {
  std::string text = "application_id = " + std::to_string(connection.integer("PRAGMA application_id")) +
                     "\nuser_version = " + std::to_string(connection.integer("PRAGMA user_version")) + "\n";
  Statement row = connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name");
  while (row.step())
    text += row.text(0) + ";\n";
  return text;
}

const std::string data = ATTENTUNE_TEST_DATA;

}  // namespace

TEST_CASE("the schema of a released version does not change") {
  const Connection memory = Connection::memory();
  migrate(memory, store_migrations());
  const std::string golden = data + "/schema_v" + std::to_string(store_schema_version()) + ".txt";
  if (const char* const write = std::getenv("ATTENTUNE_WRITE_GOLDEN"); write != nullptr)
    write_bytes(golden, dump(memory));
  CHECK(dump(memory) == read_bytes(golden));
}

// How data/store_v1.sql was made, and how the next version's will be:
//   TEST_STORE=new.db test_cache --no-skip --test-case='helper: write the golden Store'
//   sqlite3 new.db .dump, then the two PRAGMAs of the header
TEST_CASE("helper: write the golden Store" * doctest::skip()) {
  const char* const path = std::getenv("TEST_STORE");
  if (path == nullptr)
    return;
  const auto store = Store::open(options(path));
  store->publish_winner(sample_record(1), 2.5);
  Record loser = sample_record(2);
  loser.measurement.outcome = Outcome::faulted;
  loser.measurement.detail = "signal 11";
  loser.binary.reset();
  store->publish(loser);
  store->record_miss({sample_class, "batch=1 heads_kv=8 seq=8192", sample_device, "a problem", "attentune tune it", 1});
}

TEST_CASE("a Store written by version 1 is read") {
  const Directory directory;
  const std::string path = directory / "store.db";
  write_bytes(path, "");
  tamper(path, read_bytes(data + "/store_v1.sql"));
  for (const StoreMode mode : {StoreMode::read_only, StoreMode::read_write, StoreMode::library}) {
    const auto store = Store::open(options(path, mode));
    const Record record = sample_record(1);
    const auto winner = store->find_winner(key_of(record));
    REQUIRE(winner);
    CHECK(to_text(winner->measurement) == to_text(record.measurement));
    CHECK(store->load_binary(record.binary->key));
    CHECK(store->load_source(record.binary->key) == record.source_text);
    CHECK(store->misses().size() == 1);
    CHECK(store->measurements().size() == 2);
  }
}

TEST_CASE("migrations run in order, once, and all or nothing") {
  constexpr std::array steps{
      Migration{1, "CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(1);"},
      Migration{2, "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;"},
      Migration{3, "UPDATE a SET x = x + y;"},
  };
  const Connection memory = Connection::memory();
  migrate(memory, std::span(steps).first(1));
  CHECK(memory.integer("PRAGMA user_version") == 1);
  CHECK(memory.integer("PRAGMA application_id") == store_application_id);
  migrate(memory, steps);
  CHECK(memory.integer("PRAGMA user_version") == 3);
  CHECK(memory.integer("SELECT x FROM a") == 8);
  migrate(memory, steps);
  CHECK(memory.integer("SELECT x FROM a") == 8);

  constexpr std::array failing{steps[0], steps[1], steps[2], Migration{4, "UPDATE a SET x = 0;"},
                               Migration{5, "UPDATE nothing SET x = 1;"}};
  CHECK_THROWS_AS(migrate(memory, failing), SqliteError);
  CHECK(memory.integer("PRAGMA user_version") == 3);
  CHECK(memory.integer("SELECT x FROM a") == 8);
}

TEST_CASE("a later schema is refused in one sentence and its file is left alone") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1));
  tamper(path, "PRAGMA user_version = 99");
  const std::string before = read_bytes(path);
  for (const StoreMode mode : {StoreMode::read_write, StoreMode::read_only}) {
    const std::string sentence = open_error(options(path, mode));
    CHECK(contains(sentence, "later attentune (schema 99, this one knows " + std::to_string(store_schema_version())));
    CHECK(contains(sentence, "--store"));
    CHECK_FALSE(contains(sentence, "\n"));
  }
  std::vector<std::string> messages;
  const auto library = Store::open(options(path, StoreMode::library, &messages));
  CHECK_FALSE(library->persistent());
  REQUIRE(messages.size() == 1);
  CHECK(contains(messages[0], "later attentune"));
  library->publish(sample_record(2));
  CHECK(read_bytes(path) == before);
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);  // it and the lock of openings
}

TEST_CASE("the schema refuses a winner that is not verified, not ok, or of a simulator") {
  const auto refused = [&](auto change) {
    const auto own = Store::in_memory();
    Record record = sample_record(1);
    change(record.measurement);
    if (record.measurement.binary_key != record.binary->key)
      record.binary.reset();
    CHECK(contains(error_of([&] { own->publish_winner(record, 0); }), "a Winner must be"));
    CHECK(own->measurements().empty());  // the row went with it: one transaction
    const std::int64_t id = own->publish(record);
    CHECK(contains(error_of([&] { own->set_winner(id, 0); }), "a Winner must be"));
    CHECK(own->winners().empty());
    CHECK_FALSE(error_of([&] { own->set_winner(12345, 0); }).empty());
  };
  refused([](Measurement& m) { m.verified = false; });
  refused([](Measurement& m) { m.outcome = Outcome::wrong; });
  refused([](Measurement& m) { m.outcome = Outcome::timed_out; });
  refused([](Measurement& m) { m.device = "simulator name=sm_90a arch=sm_90a"; });
  refused([](Measurement& m) { m.device = "sim:sm_90a"; });
  refused([](Measurement& m) { m.device = "hostile name=x"; });
  refused([](Measurement& m) { m.device = ""; });
  refused([](Measurement& m) { m.time_ms = 0; });
  refused([](Measurement& m) { m.binary_key = ""; });
}

TEST_CASE("the rules hold for anyone who writes the file") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Record unverified = sample_record(2);
  unverified.measurement.verified = false;
  {
    const auto store = Store::open(options(path));
    store->publish_winner(sample_record(1), 0);
    store->publish(unverified);
  }
  CHECK_THROWS_AS(tamper(path, "UPDATE winners SET measurement = 2"), SqliteError);
  CHECK_THROWS_AS(tamper(path, "INSERT OR REPLACE INTO winners VALUES(1, 2, 0, 0)"), SqliteError);
  CHECK_THROWS_AS(tamper(path, "UPDATE measurements SET verified = 1"), SqliteError);
  CHECK_THROWS_AS(tamper(path, "UPDATE tunings SET device = 'host'"), SqliteError);
  CHECK_THROWS_AS(tamper(path, "UPDATE measurements SET outcome = 'fine'"), SqliteError);
  // Even with the rule taken out for a moment, the row does not pass for a Winner.
  const Connection direct = Connection::open(path, Connection::Access::write, std::chrono::seconds(5));
  const std::string trigger = direct.text("SELECT sql FROM sqlite_master WHERE name = 'winner_is_verified_on_update'");
  direct.execute("DROP TRIGGER winner_is_verified_on_update");
  direct.execute("UPDATE winners SET measurement = 2");
  CHECK(contains(open_error(options(path, StoreMode::read_only)), "schema is not attentune's"));
  direct.execute(trigger);
  const auto store = Store::open(options(path));
  CHECK_FALSE(store->find_winner(key_of(unverified)));
  CHECK(store->winners().empty());
  const VerifyReport report = store->verify(false);
  REQUIRE(report.problems.size() == 1);
  CHECK(contains(report.problems[0], "not ok and verified"));
}

}  // namespace attentune::test
