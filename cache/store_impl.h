// The inside of a Store: its connections and how a failure of SQLite becomes a miss or a sentence. Private to cache/.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "cache/sqlite.h"
#include "cache/store.h"
#include "generator/error.h"

namespace attentune {

// Unix seconds.
[[nodiscard]] std::int64_t unix_time();
// "<what could not be done> the Store PATH: why; the next step".
[[nodiscard]] Error store_error(const SqliteError& error, const std::string& path);

// A connection and the mutex that makes it one thread's at a time.
struct Side {
  explicit Side(Connection c) : connection(std::move(c)) {}
  std::mutex mutex;
  Connection connection;
};

struct Store::Impl {
  std::string path;  // "" in memory
  StoreMode mode = StoreMode::library;
  bool persistent = false;
  std::int64_t size_cap_bytes = 0;
  MessageSink message;
  pid_t process = ::getpid();

  // A reader of its own never waits for a write in progress (WAL). In memory there is only the writer, read-only only
  // the reader.
  std::unique_ptr<Side> writer;
  std::unique_ptr<Side> reader;

  // What lookups saw and may not write themselves.
  mutable std::mutex noticed_mutex;
  mutable std::map<std::string, std::int64_t, std::less<>> used;  // binary key -> time
  mutable std::set<std::string, std::less<>> corrupt;             // binary keys
  mutable std::set<std::string, std::less<>> said;                // reasons already reported

  // Calls `message` the first time this reason is met.
  void say_once(const std::string& reason, const std::string& sentence) const;
  void check_process() const;
  [[nodiscard]] Side& reading_side() const { return reader ? *reader : *writer; }
  // Deletes corrupt blobs and notes last uses, inside the caller's transaction.
  void write_noticed(const Connection& connection) const;

  // A failure of the file is a miss.
  template <typename Result, typename Body>
  Result lookup(Result missing, Body body) const {
    check_process();
    Side& side = reading_side();
    try {
      const std::lock_guard lock(side.mutex);
      return body(side.connection);
    } catch (const SqliteError& error) {
      say_once("lookup", store_error(error, path).what());
      return missing;
    }
  }

  // A failure of the file is an Error.
  template <typename Body>
  auto read(Body body) const {
    check_process();
    Side& side = reading_side();
    try {
      const std::lock_guard lock(side.mutex);
      return body(side.connection);
    } catch (const SqliteError& error) {
      throw store_error(error, path);
    }
  }

  // One transaction; nothing of it stays when body throws.
  template <typename Body>
  auto write(Body body) const {
    check_process();
    if (!writer || mode == StoreMode::read_only) {
      throw Error(Status::store_failed, "the Store " + path + " was opened for reading only; open it for writing");
    }
    try {
      const std::lock_guard lock(writer->mutex);
      Transaction transaction(writer->connection);
      write_noticed(writer->connection);
      if constexpr (std::is_void_v<decltype(body(writer->connection))>) {
        body(writer->connection);
        transaction.commit();
        forget_noticed();
      } else {
        auto result = body(writer->connection);
        transaction.commit();
        forget_noticed();
        return result;
      }
    } catch (const SqliteError& error) {
      throw store_error(error, path);
    }
  }

 private:
  // What write_noticed wrote last; guarded by the writer's mutex.
  mutable std::map<std::string, std::int64_t, std::less<>> written_used_;
  mutable std::set<std::string, std::less<>> written_corrupt_;
  void forget_noticed() const;
};

// Pages in use times their size.
[[nodiscard]] std::int64_t used_bytes(const Connection& connection);
// Deletes least recently used Binaries until used_bytes() <= limit; returns how many. Inside the caller's transaction.
std::int64_t evict(const Connection& connection, std::int64_t limit);

}  // namespace attentune
