#include "cache/store_impl.h"

#include <chrono>

#include "cache/blob.h"
#include "generator/key.h"

namespace attentune {

std::int64_t unix_time() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch()).count();
}

Error store_error(const SqliteError& error, const std::string& path) {
  const std::string store = path.empty() ? "the Store in memory" : "the Store " + path;
  const std::string what = error.what();
  if (error.constraint())
    return {Status::refused, store + " refuses this: " + what};
  if (error.disk_full()) {
    return {Status::store_failed, "no space is left for " + store +
                                      "; free some, or name a Store elsewhere with --store (nothing stored was lost)"};
  }
  if (error.busy()) {
    return {Status::store_failed, store + " is being written by another process; try again when it is done"};
  }
  if (error.read_only()) {
    return {Status::store_failed, store +
                                      " cannot be written; make the file and its directory writable, or name "
                                      "another with --store"};
  }
  if (error.cannot_open()) {
    return {Status::store_failed, store + " cannot be opened (" + what + "); name another with --store"};
  }
  if (error.damaged()) {
    return {Status::store_failed, store + " is damaged (" + what +
                                      "); `attentune cache verify` says how much, and the next `attentune tune` moves "
                                      "it aside and begins a new one"};
  }
  return {Status::store_failed, store + " failed: " + what};
}

void Store::Impl::say_once(const std::string& reason, const std::string& sentence) const {
  if (!message)
    return;
  {
    const std::lock_guard lock(noticed_mutex);
    if (!said.insert(reason).second)
      return;
  }
  message(sentence);
}

void Store::Impl::check_process() const {
  if (process == ::getpid())
    return;
  throw Error(Status::misuse,
              "the Store was opened before fork() and cannot be used in the child; open it again there");
}

void Store::Impl::write_noticed(const Connection& connection) const {
  {
    const std::lock_guard lock(noticed_mutex);
    written_used_ = used;
    written_corrupt_ = corrupt;
  }
  for (const std::string& key : written_corrupt_) {
    // Somebody may have published good bytes since; look again under the lock.
    Statement row = connection.prepare(
        "SELECT metadata, metadata_sha256, object, object_bytes, object_sha256 "
        "FROM binaries WHERE key = ?");
    row.bind_all(key);
    const bool good = row.step() && sha256_hex(row.text(0)) == row.text(1) &&
                      unpack_blob(row.blob(2), row.integer(3), row.text(4)).has_value();
    if (good)
      continue;
    connection.run("DELETE FROM binaries WHERE key = ?", key);
    if (connection.changes() > 0) {
      connection.run(
          "INSERT INTO counters VALUES('corrupt_blobs', 1) "
          "ON CONFLICT(name) DO UPDATE SET value = value + 1");
    }
  }
  for (const auto& [key, time] : written_used_) {
    connection.run("UPDATE binaries SET last_used = ?1 WHERE key = ?2 AND last_used < ?1", time, key);
  }
}

void Store::Impl::forget_noticed() const {
  const std::lock_guard lock(noticed_mutex);
  for (const auto& [key, time] : written_used_) {
    const auto found = used.find(key);
    if (found != used.end() && found->second == time)
      used.erase(found);
  }
  for (const std::string& key : written_corrupt_)
    corrupt.erase(key);
}

std::int64_t used_bytes(const Connection& connection) {
  return (connection.integer("PRAGMA page_count") - connection.integer("PRAGMA freelist_count")) *
         connection.integer("PRAGMA page_size");
}

std::int64_t evict(const Connection& connection, std::int64_t limit) {
  std::int64_t evicted = 0;
  while (used_bytes(connection) > limit) {
    connection.execute(
        "DELETE FROM binaries WHERE rowid = (SELECT b.rowid FROM binaries AS b WHERE b.pinned = 0 AND b.key NOT IN "
        "(SELECT m.binary_key FROM winners AS w JOIN measurements AS m ON m.id = w.measurement) "
        "ORDER BY b.last_used, b.rowid LIMIT 1)");
    if (connection.changes() == 0)
      break;
    ++evicted;
  }
  return evicted;
}

}  // namespace attentune
