// The file of a Store: which one is ours, how a new one is made, what happens to a damaged one. Private to cache/.
#pragma once

#include <sys/file.h>

#include <cstdint>
#include <string>

#include "cache/sqlite.h"
#include "cache/store.h"
#include "generator/error.h"

namespace attentune {

// A Store of ours whose pages make no sense: what read_write mode moves aside.
struct Damaged {
  std::string detail;
};

// "the Store PATH <why>; <remedy>"
[[nodiscard]] Error cannot(const std::string& path, const std::string& why, const std::string& remedy);
[[nodiscard]] Error damaged_error(const std::string& path, const Damaged& found);

// Openings share this lock and moving a damaged file aside excludes them, so that nobody opens a new file beside an old
// write-ahead log. It is on the empty file "<path>-lock": the Store's own locks would go when a second descriptor of it
// closes, and the directory may be locked by who starts us (`flock DIR attentune`). Without it (read_only makes no
// file, or another process keeps it beyond the busy timeout) openings go on: only that one move is less safe.
class OpeningLock {
 public:
  // operation: LOCK_SH or LOCK_EX. Waits up to the busy timeout.
  OpeningLock(const StoreOptions& options, int operation);
  ~OpeningLock();
  OpeningLock(const OpeningLock&) = delete;
  OpeningLock& operator=(const OpeningLock&) = delete;

  // Another process kept it.
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

 private:
  int descriptor_;
  bool timed_out_ = false;
};

// Is this file ours, and of a schema we know? Returns its schema version, 0 for an empty file. Throws Error for a file
// that is not ours or of a later schema, Damaged for one of ours that cannot be read.
std::int64_t recognize(const Connection& connection, const std::string& path);
// Throws Damaged unless the schema is ours to the letter: one flipped bit in the rule for Winners would let unverified
// ones in, and a foreign trigger anything.
void check_schema(const Connection& connection);
// Throws Damaged when SQLite finds a page that makes no sense. Reads everything.
void check_pages(const Connection& connection);
// Every missing directory up to `directory`, 0700. `path` is for the message.
void make_directories(const std::string& directory, const std::string& path);
// Opens for writing, making or migrating the file as needed. In read_write mode a damaged one is moved aside. Throws
// Error.
[[nodiscard]] Connection open_or_heal(const StoreOptions& options);

}  // namespace attentune
