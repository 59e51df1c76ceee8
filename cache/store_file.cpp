#include "cache/store_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "cache/schema.h"
#include "cache/store_impl.h"

namespace attentune {

namespace fs = std::filesystem;

Error cannot(const std::string& path, const std::string& why, const std::string& remedy) {
  return {Status::store_failed, "the Store " + path + " " + why + "; " + remedy};
}

Error damaged_error(const std::string& path, const Damaged& found) {
  return cannot(path, "is damaged (" + found.detail + ")",
                "the next `attentune tune` moves it aside and begins a new one, or name another with --store");
}

OpeningLock::OpeningLock(const StoreOptions& options, int operation)
    : descriptor_(::open((options.path + "-lock").c_str(),
                         O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (options.mode == StoreMode::read_only ? 0 : O_CREAT),
                         0600)) {
  if (descriptor_ < 0)
    return;
  const auto end = std::chrono::steady_clock::now() + options.busy_timeout;
  while (::flock(descriptor_, operation | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    timed_out_ = std::chrono::steady_clock::now() >= end;
    if (timed_out_)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}
OpeningLock::~OpeningLock() {
  if (descriptor_ < 0)
    return;
  // Closing alone would leave the lock with a child that another thread forked meanwhile.
  static_cast<void>(::flock(descriptor_, LOCK_UN));
  ::close(descriptor_);
}

namespace {

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) | (std::uint32_t{bytes[2]} << 8U) |
         std::uint32_t{bytes[3]};
}

// SQLite's file format section 1.3: the magic string at 0, the user version at 60, the application id at 68.
bool header_is_ours(const Connection& connection) {
  const auto header = connection.raw_header();
  return header && std::memcmp(header->data(), "SQLite format 3", 16) == 0 &&
         big_endian(header->data() + 68) == static_cast<std::uint32_t>(store_application_id);
}

void refuse_later_schema(std::int64_t version, const std::string& path) {
  if (version > store_schema_version()) {
    throw cannot(path,
                 "was written by a later attentune (schema " + std::to_string(version) + ", this one knows " +
                     std::to_string(store_schema_version()) + ")",
                 "update attentune, or name another with --store");
  }
}

}  // namespace

std::int64_t recognize(const Connection& connection, const std::string& path) {
  const auto not_ours = [&] {
    return cannot(path, "is not an attentune Store", "move that file away, or name another with --store");
  };
  // Before the first statement: in WAL mode even a read could write to the files of a later attentune.
  if (const auto header = connection.raw_header(); header && header_is_ours(connection)) {
    refuse_later_schema(big_endian(header->data() + 60), path);
  }
  try {
    // One view of all three: another process may be making the Store right now.
    connection.execute("BEGIN");
    const std::int64_t id = connection.integer("PRAGMA application_id");
    const std::int64_t version = connection.integer("PRAGMA user_version");
    const std::int64_t objects = connection.integer("SELECT count(*) FROM sqlite_master");
    connection.execute("COMMIT");
    if (id == 0 && version == 0 && objects == 0)
      return 0;
    if (id != store_application_id)
      throw not_ours();
    refuse_later_schema(version, path);
    if (version <= 0)
      throw Damaged{"its schema version is missing"};
    return version;
  } catch (const SqliteError& error) {
    if (!error.damaged())
      throw store_error(error, path);
    if (!header_is_ours(connection))
      throw not_ours();
    throw Damaged{error.what()};
  }
}

namespace {

// The whole schema as text. Names that begin with sqlite_ are SQLite's own.
std::string schema_text(const Connection& connection) {
  std::string text;
  Statement row = connection.prepare(
      "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' "
      "ORDER BY type, name");
  while (row.step())
    text += row.text(0) + ' ' + row.text(1) + ' ' + row.text(2) + ' ' + row.text(3) + '\n';
  return text;
}

}  // namespace

void check_schema(const Connection& connection) {
  const Connection ours = Connection::memory();
  migrate(ours, store_migrations());
  if (schema_text(connection) != schema_text(ours))
    throw Damaged{"its schema is not attentune's"};
}

void check_pages(const Connection& connection) {
  const std::string result = connection.text("PRAGMA quick_check(1)");
  if (result != "ok")
    throw Damaged{result};
}

void make_directories(const std::string& directory, const std::string& path) {
  if (directory.empty() || fs::is_directory(directory))
    return;
  make_directories(fs::path(directory).parent_path().string(), path);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw cannot(path, "needs the directory " + directory + ", which cannot be made (" + std::strerror(errno) + ")",
                 "make it, or name another Store with --store");
  }
}

namespace {

void make_file(const std::string& path) {
  // O_EXCL: opening and closing an existing database here would drop the locks SQLite holds on it.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
  } else if (errno == ENOSPC || errno == EDQUOT) {
    throw cannot(path, "cannot be made: no space is left", "free some, or name a Store elsewhere with --store");
  } else if (errno != EEXIST) {
    throw cannot(path, std::string("cannot be made (") + std::strerror(errno) + ")", "name another with --store");
  }
}

// WAL: readers never wait for a writer, and a commit is one append. Needs the file for itself for a moment; if others
// keep it busy the rollback journal serves as well.
void use_write_ahead_log(const Connection& connection) {
  // The pauses here are the whole wait: without this each attempt would first wait the busy timeout.
  const std::chrono::milliseconds busy_timeout = connection.set_busy_timeout(std::chrono::milliseconds(0));
  for (int attempt = 0; attempt < 50; ++attempt) {
    try {
      if (connection.text("PRAGMA journal_mode=WAL") == "wal")
        break;
    } catch (const SqliteError& error) {
      if (!error.busy())
        throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  connection.set_busy_timeout(busy_timeout);
  // NORMAL: the file is whole after any crash, and kill -9 loses nothing committed. A power cut may take back the last
  // commits, which can be measured again; FULL would put an fsync beside the very kernel being timed.
  connection.execute("PRAGMA synchronous=NORMAL");
}

Connection open_writer(const StoreOptions& options) {
  make_file(options.path);
  try {
    Connection connection = Connection::open(options.path, Connection::Access::write, options.busy_timeout);
    const std::int64_t version = recognize(connection, options.path);
    try {
      // Only has effect on an empty file; lets prune give pages back.
      if (version == 0)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL");
      migrate(connection, store_migrations());
      check_schema(connection);
      if (options.mode == StoreMode::read_write)
        check_pages(connection);
      use_write_ahead_log(connection);
    } catch (const SqliteError& error) {
      if (error.damaged())
        throw Damaged{error.what()};
      throw;
    }
    return connection;
  } catch (const SqliteError& error) {
    throw store_error(error, options.path);
  }
}

// Renames the Store and its side files; returns the new name. Nothing happens if it reads well again: another process
// was faster.
std::string move_aside(const StoreOptions& options) {
  const OpeningLock lock(options, LOCK_EX);
  if (lock.timed_out()) {
    throw cannot(options.path, "is damaged and cannot be moved aside while other processes open it",
                 "end them (`fuser " + options.path + "-lock` names them), or name another with --store");
  }
  try {
    static_cast<void>(open_writer(options));
    return {};
  } catch (const Damaged&) {
  }
  std::string aside;
  for (int n = 1; aside.empty() || fs::exists(aside); ++n)
    aside = options.path + ".corrupt-" + std::to_string(n);
  for (const char* const suffix : {"-wal", "-shm", "-journal", ""}) {
    std::error_code failed;
    fs::rename(options.path + suffix, aside + suffix, failed);
    if (failed && failed != std::errc::no_such_file_or_directory) {
      throw cannot(options.path, "is damaged and cannot be moved aside (" + failed.message() + ")",
                   "move it away, or name another with --store");
    }
  }
  return aside;
}

}  // namespace

Connection open_or_heal(const StoreOptions& options) {
  try {
    const OpeningLock lock(options, LOCK_SH);
    return open_writer(options);
  } catch (const Damaged& found) {
    if (options.mode != StoreMode::read_write)
      throw damaged_error(options.path, found);
    const std::string aside = move_aside(options);
    if (!aside.empty() && options.message) {
      options.message("the Store " + options.path + " was damaged (" + found.detail + "); it is kept as " + aside +
                      " and a new one begins");
    }
  }
  try {
    const OpeningLock lock(options, LOCK_SH);
    return open_writer(options);
  } catch (const Damaged& found) {
    throw damaged_error(options.path, found);
  }
}

}  // namespace attentune
