// Damaged files: every one is a miss, a message or an Error, and never a crash.
#include <cstdio>

#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {

// A whole Store as bytes, without side files.
std::string sample_file(const Directory& directory, int records = 6) {
  const std::string path = directory / "sample.db";
  {
    const auto store = Store::open(options(path));
    for (int n = 0; n < records; ++n)
      store->publish_winner(sample_record(n, 64 + n), 0);
    store->record_miss({sample_class, "b", sample_device, "p", "c", 1});
  }
  CHECK_FALSE(fs::exists(path + "-wal"));  // the last to close takes the log in
  return read_bytes(path);
}

// Everything a library and a command do with a Store; only an Error may come out.
void use(const std::string& path, StoreMode mode) {
  try {
    const auto store = Store::open(options(path, mode));
    for (int n = 0; n < 6; ++n) {
      const Record record = sample_record(n, 64 + n);
      const auto winner = store->find_winner(key_of(record));
      if (winner && (winner->measurement.outcome != Outcome::ok || !winner->measurement.verified))
        FAIL("unverified winner");
      const auto binary = store->load_binary(record.binary->key);
      if (binary) {
        // What comes out is what went in.
        CHECK(binary->object == record.binary->object);
        CHECK(metadata_text(*binary) == metadata_text(*record.binary));
      }
      static_cast<void>(store->load_source(record.binary->key));
      static_cast<void>(store->measurements_of(key_of(record)));
    }
    static_cast<void>(store->winners_of_class(sample_class, sample_device, "host-1"));
    static_cast<void>(store->verify(mode != StoreMode::read_only));
    try {
      static_cast<void>(store->misses());
      static_cast<void>(store->binaries());
      static_cast<void>(store->snapshot_hash());
    } catch (const Error& error) {
      CHECK(error.status() == Status::store_failed);
    }
    if (mode == StoreMode::read_only)
      return;
    store->publish_winner(sample_record(3, 67), 0);
    CHECK(store->load_binary(sample_record(3, 67).binary->key));
  } catch (const Error& error) {
    CHECK(error.status() == Status::store_failed);
    CHECK(contains(error.what(), "; "));  // reason and next step
  }
}

void remove_beside(const Directory& directory, const std::string& stem) {
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    if (entry.path().filename().string().starts_with(stem))
      fs::remove(entry.path());
  }
}

}  // namespace

TEST_CASE("a Store cut short at any length") {
  const Directory directory(true);
  const std::string whole = sample_file(directory);
  const std::string path = directory / "cut.db";
  for (std::size_t length = 0; length < whole.size(); length += length < 200 ? 7 : 1531) {
    for (const StoreMode mode : {StoreMode::read_only, StoreMode::library, StoreMode::read_write}) {
      CAPTURE(length);
      write_bytes(path, whole.substr(0, length));
      use(path, mode);
      // Nothing is deleted: what was there is still there, in place or aside.
      if (length > 0)
        CHECK((read_bytes(path).substr(0, 16) == whole.substr(0, std::min<std::size_t>(16, length)) ||
               fs::exists(path + ".corrupt-1")));
      remove_beside(directory, "cut.db");
    }
  }
}

TEST_CASE("a bit flipped anywhere") {
  const Directory directory(true);
  const std::string whole = sample_file(directory);
  const std::string path = directory / "flip.db";
  const std::size_t step = whole.size() / 160;
  for (std::size_t at = 0; at < whole.size(); at += at < 128 ? 3 : step) {
    CAPTURE(at);
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    for (const StoreMode mode : {StoreMode::read_only, StoreMode::library, StoreMode::read_write}) {
      write_bytes(path, bytes);
      use(path, mode);
      remove_beside(directory, "flip.db");
    }
  }
}

TEST_CASE("a damaged Store is moved aside once, with one message, and tuning goes on") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const std::string whole = sample_file(directory);
  const std::string half = whole.substr(0, whole.size() / 2);
  write_bytes(path, half);

  CHECK(contains(open_error(options(path, StoreMode::read_only)), "is damaged"));
  std::vector<std::string> library_messages;
  CHECK_FALSE(Store::open(options(path, StoreMode::library, &library_messages))->persistent());
  CHECK(library_messages.size() == 1);
  CHECK(read_bytes(path) == half);

  std::vector<std::string> messages;
  const auto store = Store::open(options(path, StoreMode::read_write, &messages));
  REQUIRE(messages.size() == 1);
  CHECK(contains(messages[0], path + ".corrupt-1"));
  CHECK(read_bytes(path + ".corrupt-1") == half);
  CHECK(store->measurements().empty());
  store->publish(sample_record(1));
  CHECK(store->verify(false).sound());
}

TEST_CASE("a file that was never a Store is refused untouched") {
  const Directory directory;
  const std::string path = directory / "notes.txt";
  const std::string foreign = directory / "other.db";
  write_bytes(foreign, "");
  tamper(foreign, "CREATE TABLE recipes(name)");
  for (const std::string& bytes :
       {std::string("hello"), std::string(10'000, 'x'), std::string(4096, '\0'), read_bytes(foreign)}) {
    write_bytes(path, bytes);
    for (const StoreMode mode : {StoreMode::read_only, StoreMode::read_write}) {
      CHECK(contains(open_error(options(path, mode)), "is not an attentune Store"));
    }
    std::vector<std::string> messages;
    CHECK_FALSE(Store::open(options(path, StoreMode::library, &messages))->persistent());
    CHECK(messages.size() == 1);
    CHECK(read_bytes(path) == bytes);
  }
  CHECK(contains(open_error(options(directory / "none.db", StoreMode::read_only)), "does not exist"));
  fs::create_directory(directory / "folder");
  CHECK_FALSE(open_error(options(directory / "folder")).empty());
}

TEST_CASE("a bad blob is a miss, is dropped and counted, and the next publish heals it") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const Record record = sample_record(1);
  const std::vector<std::string> damages{
      "UPDATE binaries SET object = zeroblob(50)",
      "UPDATE binaries SET object = x''",
      "UPDATE binaries SET object_sha256 = ''",
      "UPDATE binaries SET object_bytes = 1",
      "UPDATE binaries SET object_bytes = -1",
      "UPDATE binaries SET object_bytes = 9000000000000000000",
      "UPDATE binaries SET metadata = replace(metadata, '64', '74')",
      "UPDATE binaries SET metadata = '{}'",
      "UPDATE binaries SET metadata = '{', metadata_sha256 = '" + sha256_hex("{") + "'",
      "UPDATE binaries SET key = '" + std::string(64, 'a') + "'",
  };
  std::int64_t counted = 0;
  for (const std::string& damage : damages) {
    CAPTURE(damage);
    std::vector<std::string> messages;
    {
      const auto store = Store::open(options(path));
      store->publish_winner(record, 0);
    }
    tamper(path, damage);
    const auto store = Store::open(options(path, StoreMode::read_write, &messages));
    const std::string key = contains(damage, "SET key") ? std::string(64, 'a') : record.binary->key;
    CHECK_FALSE(store->load_binary(key));
    CHECK(messages.size() == 1);
    CHECK(store->find_winner(key_of(record)));  // the Config is still known
    // Bytes that match their digest and still make no sense are only a miss; the others are gone.
    const bool digest_matches = contains(damage, "'{'") || contains(damage, "SET key");
    if (!digest_matches)
      CHECK(store->stats().corrupt_blobs == ++counted);
    if (!digest_matches)
      CHECK(store->stats().binaries == 0);
    store->publish(record);
    CHECK(store->load_binary(record.binary->key));
    tamper(path, "DELETE FROM binaries");
  }
}

TEST_CASE("the library notices a bad blob while reading and deletes it with its next write") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1));
  tamper(path, "UPDATE binaries SET object = x'00'");
  const auto store = Store::open(options(path, StoreMode::library));
  CHECK_FALSE(store->load_binary(sample_binary(1).key));
  CHECK(store->stats().binaries == 1);
  store->maintain();
  CHECK(store->stats().binaries == 0);
  CHECK(store->stats().corrupt_blobs == 1);
}

TEST_CASE("good bytes that another process published meanwhile are not deleted") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1));
  tamper(path, "UPDATE binaries SET object = x'00'");
  const auto store = Store::open(options(path, StoreMode::library));
  CHECK_FALSE(store->load_binary(sample_binary(1).key));
  Store::open(options(path))->publish(sample_record(1));
  store->maintain();
  CHECK(store->load_binary(sample_binary(1).key));
}

TEST_CASE("verify finds every bad blob and heals on request") {
  const Directory directory;
  const std::string path = directory / "store.db";
  {
    const auto store = Store::open(options(path));
    for (int n = 0; n < 5; ++n)
      store->publish(sample_record(n));
  }
  tamper(path, "UPDATE binaries SET source = x'00' WHERE key = '" + sample_binary(2).key + "'");
  tamper(path, "UPDATE binaries SET object = x'00' WHERE key = '" + sample_binary(4).key + "'");
  const auto store = Store::open(options(path));
  const VerifyReport found = store->verify(false);
  CHECK(found.corrupt_binaries.size() == 2);
  CHECK(found.binaries_checked == 5);
  CHECK_FALSE(found.sound());
  CHECK_FALSE(found.healed);
  CHECK(store->verify(true).healed);
  const VerifyReport after = store->verify(true);
  CHECK(after.sound());
  CHECK(after.corrupt_before == 2);
  CHECK(after.binaries_checked == 3);
}

}  // namespace attentune::test
