// How a Store is opened in each mode, and where memory stands in for a file.
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "cache/ownership.h"
#include "cache/schema.h"
#include "cache/snapshot.h"
#include "cache/store_file.h"
#include "cache/store_impl.h"

namespace attentune {

namespace fs = std::filesystem;

namespace {

void require_safe(const std::string& path) {
  if (const auto reason = unsafe_ownership(path))
    throw Error(Status::store_failed, *reason);
}

// Works for a Store of an older schema too: the copy is migrated, not the file.
Connection open_snapshot(const StoreOptions& options, int attempts = 3) {
  require_safe(options.path);
  for (int attempt = 1;; ++attempt) {
    try {
      Connection memory = snapshot_of(options.path, [&](const Connection& source) {
        if (recognize(source, options.path) == 0)
          throw Damaged{"it is empty"};
      });
      check_pages(memory);
      migrate(memory, store_migrations());
      check_schema(memory);
      return memory;
    } catch (const SqliteError& error) {
      if (!error.damaged() || attempt == attempts)
        throw store_error(error, options.path);
    } catch (const Damaged& found) {
      if (attempt == attempts)
        throw cannot(options.path, "is damaged (" + found.detail + ")", "name another with --store");
    }
    // Perhaps another machine was writing it.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  // A command's last uses; the library's belong to its background writer.
  if (impl_->process != ::getpid() || impl_->mode != StoreMode::read_write || !impl_->persistent)
    return;
  try {
    maintain();
  } catch (const std::exception&) {
    // Only the order of eviction is lost.
  }
}

std::shared_ptr<Store> Store::in_memory(MessageSink message) {
  auto impl = std::make_unique<Impl>();
  impl->mode = StoreMode::read_write;
  impl->message = std::move(message);
  impl->writer = std::make_unique<Side>(Connection::memory());
  migrate(impl->writer->connection, store_migrations());
  return std::shared_ptr<Store>(new Store(std::move(impl)));
}

namespace {

struct Opened {
  std::unique_ptr<Side> writer;
  std::unique_ptr<Side> reader;
  bool persistent = false;
};

Opened open_read_write(const StoreOptions& options, FilesystemKind kind) {
  if (kind != FilesystemKind::local) {
    const std::string why = kind == FilesystemKind::network
                                ? "stands on a network file system, where its locks cannot be trusted"
                                : "cannot be written: the file, its directory or the file system is read-only";
    throw cannot(options.path, why, "write to a local file with --store LOCALPATH and copy that file here");
  }
  make_directories(fs::path(options.path).parent_path().string(), options.path);
  require_safe(options.path);
  Connection writer = open_or_heal(options);
  // Once more: the lock may have been waited for, and who can rename a directory above this one had that long.
  require_safe(options.path);
  try {
    Connection reader = Connection::open(options.path, Connection::Access::read, options.busy_timeout);
    return {std::make_unique<Side>(std::move(writer)), std::make_unique<Side>(std::move(reader)), true};
  } catch (const SqliteError& error) {
    throw store_error(error, options.path);
  }
}

Opened open_read_only(const StoreOptions& options, FilesystemKind kind) {
  if (!fs::exists(options.path)) {
    throw cannot(options.path, "does not exist", "make one with `attentune tune`, or name another with --store");
  }
  require_safe(options.path);
  if (kind == FilesystemKind::local) {
    try {
      const OpeningLock lock(options, LOCK_SH);
      Connection reader = Connection::open(options.path, Connection::Access::read, options.busy_timeout);
      const std::int64_t version = recognize(reader, options.path);
      if (version == 0)
        throw Damaged{"it is empty"};
      if (version == store_schema_version()) {
        check_schema(reader);
        require_safe(options.path);  // as in open_read_write
        return {nullptr, std::make_unique<Side>(std::move(reader)), false};
      }
    } catch (const SqliteError& error) {
      // Even reading needs room for SQLite's shared memory beside the file. A copy elsewhere does not.
      if (!error.disk_full() && !error.cannot_open() && !error.read_only())
        throw store_error(error, options.path);
    } catch (const Damaged& found) {
      throw damaged_error(options.path, found);
    }
  }
  return {nullptr, std::make_unique<Side>(open_snapshot(options)), false};
}

// A Store that cannot be written now (a full disk, a lock held too long) may still be read once.
std::unique_ptr<Side> readable_anyway(const StoreOptions& options) {
  try {
    std::error_code ignored;
    if (!fs::exists(options.path, ignored))
      return nullptr;
    return std::make_unique<Side>(open_snapshot(options, 1));
  } catch (const Error&) {
    return nullptr;
  }
}

Opened open_library(const StoreOptions& options, FilesystemKind kind) {
  const auto say = [&](const std::string& sentence) {
    if (options.message)
      options.message(sentence);
  };
  try {
    if (kind == FilesystemKind::local)
      return open_read_write(options, kind);
    const std::string where = kind == FilesystemKind::network ? "stands on a network file system" : "is read-only";
    if (fs::exists(options.path)) {
      auto snapshot = std::make_unique<Side>(open_snapshot(options));
      say("the Store " + options.path + " " + where +
          ": it was read once, and what is learned now stays in memory; "
          "name a local file with --store or ATTENTUNE_STORE to keep it");
      return {std::move(snapshot), nullptr, false};
    }
    say("the Store " + options.path + " does not exist and its place " + where +
        ": what is learned now stays in memory; "
        "name a local file with --store or ATTENTUNE_STORE to keep it");
  } catch (const Error& error) {
    if (error.status() == Status::out_of_memory)
      throw;
    say(std::string(error.what()) + " (until then what is learned stays in memory)");
    if (auto snapshot = readable_anyway(options))
      return {std::move(snapshot), nullptr, false};
  }
  auto memory = std::make_unique<Side>(Connection::memory());
  migrate(memory->connection, store_migrations());
  return {std::move(memory), nullptr, false};
}

}  // namespace

std::shared_ptr<Store> Store::open(const StoreOptions& given) {
  StoreOptions options = given;
  std::error_code failed;
  if (options.path.empty())
    throw Error(Status::misuse, "the Store's path is empty; name one with --store PATH");
  // The process may change its directory later, and a link in the path may be turned: from here on it is the file where
  // it really stands, beside which SQLite keeps its log.
  const fs::path absolute = fs::absolute(given.path, failed);
  const fs::path real = fs::weakly_canonical(absolute, failed);
  options.path = (failed ? absolute.lexically_normal() : real).string();
  const FilesystemKind kind = options.filesystem(options.path);

  Opened opened = options.mode == StoreMode::read_write  ? open_read_write(options, kind)
                  : options.mode == StoreMode::read_only ? open_read_only(options, kind)
                                                         : open_library(options, kind);
  auto impl = std::make_unique<Impl>();
  impl->path = options.path;
  impl->mode = options.mode;
  impl->persistent = opened.persistent;
  impl->size_cap_bytes = options.size_cap_bytes;
  impl->message = options.message;
  impl->writer = std::move(opened.writer);
  impl->reader = std::move(opened.reader);
  return std::shared_ptr<Store>(new Store(std::move(impl)));
}

const std::string& Store::path() const noexcept { return impl_->path; }
StoreMode Store::mode() const noexcept { return impl_->mode; }
bool Store::persistent() const noexcept { return impl_->persistent; }
std::chrono::milliseconds Store::set_busy_timeout(std::chrono::milliseconds timeout) noexcept {
  return impl_->writer ? impl_->writer->connection.set_busy_timeout(timeout) : timeout;
}

}  // namespace attentune
