#include "cache/sqlite.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "cache/blob.h"

namespace attentune {

namespace {

[[noreturn]] void fail(sqlite3* database) {
  if (database == nullptr)
    throw SqliteError(SQLITE_NOMEM, 0, "out of memory");
  throw SqliteError(sqlite3_extended_errcode(database), sqlite3_system_errno(database), sqlite3_errmsg(database));
}

// A path as a URI's path: what could end it or begin an escape is escaped.
std::string uri_of(const std::string& path, std::string_view query) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += digits[byte >> 4U];
      uri += digits[byte & 15U];
    } else {
      uri += c;
    }
  }
  uri += query;
  return uri;
}

}  // namespace

bool SqliteError::damaged() const noexcept {
  // A schema row that no longer parses is plain SQLITE_ERROR: our own statements are right, so the file is wrong.
  const int primary = code_ & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT || primary == SQLITE_ERROR ||
         primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG;
}
bool SqliteError::not_sqlite() const noexcept { return (code_ & 0xff) == SQLITE_NOTADB; }
bool SqliteError::disk_full() const noexcept {
  return (code_ & 0xff) == SQLITE_FULL ||
         ((code_ & 0xff) == SQLITE_IOERR && (system_error_ == ENOSPC || system_error_ == EDQUOT));
}
bool SqliteError::busy() const noexcept { return (code_ & 0xff) == SQLITE_BUSY || (code_ & 0xff) == SQLITE_LOCKED; }
bool SqliteError::read_only() const noexcept { return (code_ & 0xff) == SQLITE_READONLY; }
bool SqliteError::cannot_open() const noexcept { return (code_ & 0xff) == SQLITE_CANTOPEN; }
bool SqliteError::constraint() const noexcept { return (code_ & 0xff) == SQLITE_CONSTRAINT; }

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr) != SQLITE_OK) {
    attentune::fail(database);
  }
}
Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

void Statement::fail() const { attentune::fail(database_); }

void Statement::bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_, index, value) != SQLITE_OK)
    fail();
}
void Statement::bind(int index, double value) {
  const double stored = std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
  if (sqlite3_bind_double(statement_, index, stored) != SQLITE_OK)
    fail();
}
void Statement::bind(int index, std::string_view value) {
  // A null pointer would bind NULL.
  const char* const data = value.data() == nullptr ? "" : value.data();
  if (sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
    fail();
}
void Statement::bind(int index, std::span<const std::uint8_t> value) {
  const void* const data = value.data() == nullptr ? static_cast<const void*>("") : value.data();
  if (sqlite3_bind_blob64(statement_, index, data, value.size(), SQLITE_STATIC) != SQLITE_OK)
    fail();
}
void Statement::bind(int index, std::nullopt_t) {
  if (sqlite3_bind_null(statement_, index) != SQLITE_OK)
    fail();
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE)
    return false;
  fail();
}

std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }
std::string Statement::text(int column) const {
  const auto* const data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr)
    return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
std::span<const std::uint8_t> Statement::blob(int column) const noexcept {
  const auto* const data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr)
    return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
bool Statement::is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

// Waits with doubling pauses up to a time limit. SQLite's own timeout sleeps in fixed steps, and several tuners that
// woke in step would collide for long.
struct Connection::Busy {
  std::atomic<std::chrono::milliseconds> timeout;
  std::chrono::steady_clock::time_point started{};

  static int wait(void* self, int attempt) {
    auto& busy = *static_cast<Busy*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (attempt == 0)
      busy.started = now;
    if (now - busy.started >= busy.timeout.load())
      return 0;
    const int step = 1 << std::min(attempt, 6);
    const int jitter = static_cast<int>((getpid() * 7 + attempt * 13) % 5);
    std::this_thread::sleep_for(std::chrono::milliseconds(step + jitter));
    return 1;
  }
};

Connection Connection::open(const std::string& path, Access access, std::chrono::milliseconds busy_timeout) {
  const std::string name = access == Access::immutable ? uri_of(path, "?immutable=1") : uri_of(path, "");
  // Our own mutex guards each connection; SQLite's would lock a second time.
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  sqlite3* database = nullptr;
  auto busy = std::make_unique<Busy>(busy_timeout);
  const int code = sqlite3_open_v2(name.c_str(), &database, flags, nullptr);
  Connection connection(database, busy.release(), getpid());
  if (code != SQLITE_OK)
    fail(database);
  sqlite3_busy_handler(database, &Busy::wait, connection.busy_);
  // The file is input: a schema in it must not run functions we did not name, write to itself, or ask for much memory.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, static_cast<int>(3 * maximum_blob_bytes));
  sqlite3_exec(database, "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
  return connection;
}

Connection Connection::memory() {
  sqlite3* database = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(":memory:", &database, flags, nullptr);
  Connection connection(database, nullptr, getpid());
  if (code != SQLITE_OK)
    fail(database);
  sqlite3_exec(database, "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
  return connection;
}

Connection::~Connection() {
  if (database_ == nullptr || process_ != getpid())
    return;
  sqlite3_close_v2(database_);
  delete busy_;
}
Connection::Connection(Connection&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      busy_(std::exchange(other.busy_, nullptr)),
      process_(other.process_) {}

void Connection::execute(const std::string& sql) const {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(database_);
}
std::string Connection::text(std::string_view sql) const {
  Statement statement = prepare(sql);
  return statement.step() ? statement.text(0) : std::string();
}
std::int64_t Connection::last_insert_id() const noexcept { return sqlite3_last_insert_rowid(database_); }
std::int64_t Connection::changes() const noexcept { return sqlite3_changes64(database_); }
std::chrono::milliseconds Connection::set_busy_timeout(std::chrono::milliseconds timeout) const noexcept {
  // In memory there is nobody to wait for.
  return busy_ == nullptr ? timeout : busy_->timeout.exchange(timeout);
}

std::optional<std::array<std::uint8_t, 100>> Connection::raw_header() const noexcept {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(database_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)) != SQLITE_OK)
    return std::nullopt;
  if (file == nullptr || file->pMethods == nullptr)
    return std::nullopt;
  std::array<std::uint8_t, 100> header{};
  if (file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0) != SQLITE_OK)
    return std::nullopt;
  return header;
}

void Connection::copy_to(const Connection& to) const {
  sqlite3_backup* const backup = sqlite3_backup_init(to.database_, "main", database_, "main");
  if (backup == nullptr)
    fail(to.database_);
  const int code = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE)
    throw SqliteError(code, 0, sqlite3_errstr(code));
}

Transaction::Transaction(const Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}
Transaction::~Transaction() {
  if (!open_)
    return;
  // A full disk makes SQLite roll back by itself; a second ROLLBACK then fails and says nothing new.
  try {
    connection_.execute("ROLLBACK");
  } catch (const SqliteError&) {
  }
}
void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace attentune
