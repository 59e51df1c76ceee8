// SQLite as values that clean up after themselves. Private to cache/; sqlite3.h itself stays in sqlite.cpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace attentune {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, int system_error, const std::string& what)
      : std::runtime_error(what), code_(code), system_error_(system_error) {}

  [[nodiscard]] bool damaged() const noexcept;     // pages or schema that make no sense
  [[nodiscard]] bool not_sqlite() const noexcept;  // the header is not SQLite's
  [[nodiscard]] bool disk_full() const noexcept;
  [[nodiscard]] bool busy() const noexcept;
  [[nodiscard]] bool read_only() const noexcept;
  [[nodiscard]] bool cannot_open() const noexcept;
  [[nodiscard]] bool constraint() const noexcept;  // a CHECK, trigger or foreign key said no

 private:
  int code_;
  int system_error_;
};

class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  // Parameters in order, the first is 1. Text and blobs must live until the last step.
  void bind(int index, std::int64_t value);
  void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, bool value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, double value);  // NaN, which SQLite would turn into NULL, becomes infinity
  void bind(int index, std::string_view value);
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  void bind(int index, const char* value) { bind(index, std::string_view(value)); }
  void bind(int index, std::span<const std::uint8_t> value);
  void bind(int index, std::nullopt_t);
  template <typename... Values>
  void bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
  }

  // True: a row stands ready. False: done.
  bool step();
  // Columns from 0. What is NULL or of another type reads as 0, "" or empty.
  [[nodiscard]] std::int64_t integer(int column) const noexcept;
  [[nodiscard]] double real(int column) const noexcept;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::span<const std::uint8_t> blob(int column) const noexcept;  // until the next step
  [[nodiscard]] bool is_null(int column) const noexcept;

 private:
  [[noreturn]] void fail() const;
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

class Connection {
 public:
  enum class Access : std::uint8_t {
    write,
    read,
    immutable,  // no locks, no side files: for file systems where neither works; nobody may write meanwhile
  };

  static Connection open(const std::string& path, Access access, std::chrono::milliseconds busy_timeout);
  static Connection memory();
  // In a forked child the connection is leaked: closing it there would touch the parent's locks and journal.
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;

  [[nodiscard]] Statement prepare(std::string_view sql) const { return {database_, sql}; }
  // One or more statements without parameters.
  void execute(const std::string& sql) const;
  template <typename... Values>
  void run(std::string_view sql, const Values&... values) const {
    Statement statement = prepare(sql);
    statement.bind_all(values...);
    while (statement.step()) {
    }
  }
  // The first column of the first row; 0 or "" without one.
  template <typename... Values>
  [[nodiscard]] std::int64_t integer(std::string_view sql, const Values&... values) const {
    Statement statement = prepare(sql);
    statement.bind_all(values...);
    return statement.step() ? statement.integer(0) : 0;
  }
  [[nodiscard]] std::string text(std::string_view sql) const;
  [[nodiscard]] std::int64_t last_insert_id() const noexcept;
  [[nodiscard]] std::int64_t changes() const noexcept;
  // How long to wait for other connections from now on; returns the time until now. From any thread: a wait under way
  // ends by the new time.
  std::chrono::milliseconds set_busy_timeout(std::chrono::milliseconds timeout) const noexcept;

  // The first 100 bytes of the file as they lie there, read through SQLite's own descriptor: opening and closing the
  // file once more would drop every POSIX lock this process holds on it. nullopt for a shorter file.
  [[nodiscard]] std::optional<std::array<std::uint8_t, 100>> raw_header() const noexcept;
  // Replaces everything in `to` by what stands here.
  void copy_to(const Connection& to) const;

 private:
  struct Busy;
  Connection(sqlite3* database, Busy* busy, pid_t process) noexcept
      : database_(database), busy_(busy), process_(process) {}
  sqlite3* database_;
  Busy* busy_;
  pid_t process_;
};

// BEGIN IMMEDIATE: the write lock is taken at once, so no statement inside can meet SQLITE_BUSY. Rolls back unless
// committed.
class Transaction {
 public:
  explicit Transaction(const Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Connection& connection_;
  bool open_ = true;
};

}  // namespace attentune
