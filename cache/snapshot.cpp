#include "cache/snapshot.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace attentune {

namespace fs = std::filesystem;

namespace {

// A private directory that goes away with its contents.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = "/tmp/attentune-snapshot-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty())
      fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

using Inspect = std::function<void(const Connection&)>;

Connection copied(const Connection& source, const Inspect& inspect) {
  inspect(source);
  Connection memory = Connection::memory();
  source.copy_to(memory);
  // The copy carries the file's WAL mark, which means nothing in memory.
  memory.execute("PRAGMA journal_mode=MEMORY");
  return memory;
}

}  // namespace

Connection snapshot_of(const std::string& path, const Inspect& inspect) {
  constexpr std::chrono::milliseconds no_wait{0};
  std::error_code ignored;
  const std::string log = path + "-wal";
  const auto log_size = fs::file_size(log, ignored);
  if (!ignored && log_size > 0) {
    // Rows still in the write-ahead log: SQLite replays it beside a private copy.
    const TemporaryDirectory directory;
    const fs::path copy = directory.path() / "store.db";
    std::error_code failed;
    if (!directory.path().empty()) {
      fs::copy_file(path, copy, failed);
      if (!failed)
        fs::copy_file(log, copy.string() + "-wal", failed);
      if (!failed) {
        fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_write, failed);
        fs::permissions(copy.string() + "-wal", fs::perms::owner_read | fs::perms::owner_write, failed);
        return copied(Connection::open(copy.string(), Connection::Access::write, no_wait), inspect);
      }
    }
  }
  return copied(Connection::open(path, Connection::Access::immutable, no_wait), inspect);
}

}  // namespace attentune
