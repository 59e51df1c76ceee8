// Store: the SQLite file that holds everything attentune remembers. Nothing else in the program opens it.
//
// Beside it stand SQLite's "<path>-wal" and "<path>-shm" while it is open, and the empty "<path>-lock". None of them,
// nor their directory, may be another user's (but root's) or writable by others.
//
// A Store is shared by several threads of one process and by several processes. Every publish is one transaction: after
// kill -9 the file holds all that was published before. It does not survive fork: in a child every call throws
// Error(misuse).
//
// A bad file is a miss, not a crash (DESIGN promise 3):
//   - a blob, row or page that cannot be trusted reads as absent, is counted, and is replaced by the next publish;
//   - a damaged Store is never deleted. Mode read_write moves it to "<path>.corrupt-<n>" with one message and begins a
//   new
//     one; the other modes leave it alone (library: goes on in memory, read_only: Error);
//   - a file that was never ours (no attentune mark in its header) and a Store of a later schema are refused untouched.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/filesystem.h"
#include "cache/records.h"
#include "generator/binary.h"
#include "generator/measurement.h"
#include "generator/winner.h"

namespace attentune {

enum class StoreMode : std::uint8_t {
  read_write,  // tune, import, prune: Error(store_failed) at once where writing cannot be safe or lasting
  library,     // never fails: where the file cannot be used, a snapshot (or nothing) in memory, and one message
  read_only,   // list, show, Packs: Error when there is no such file; creates and changes nothing
};

// Sentences for people: called at most once a reason, from the thread that met it. Must not call back into the Store.
using MessageSink = std::function<void(std::string_view sentence)>;

struct StoreOptions {
  std::string path;
  StoreMode mode = StoreMode::library;
  MessageSink message;                                  // empty = nobody listens
  std::int64_t size_cap_bytes = std::int64_t{1} << 30;  // kept by evicting unpinned Binaries; 0 = no cap
  std::chrono::milliseconds busy_timeout{30'000};       // how long a write waits for other processes
  FilesystemProbe filesystem = filesystem_kind;         // tests say "network" here
};

// "${xdg_data_home:-home/.local/share}/attentune/store.db"; throws Error(misuse) when both are empty. A relative
// xdg_data_home is ignored, as the XDG specification asks.
[[nodiscard]] std::string default_store_path(std::string_view xdg_data_home, std::string_view home);

class Store {
 public:
  // Throws Error(store_failed) as StoreMode says; the sentence names the path and the next step.
  [[nodiscard]] static std::shared_ptr<Store> open(const StoreOptions& options);
  // Lives and dies with the process: tests, `--store :memory:`, and fallbacks.
  [[nodiscard]] static std::shared_ptr<Store> in_memory(MessageSink message = {});

  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // "" for in_memory().
  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] StoreMode mode() const noexcept;
  // Do publishes reach the file? false in memory, for a snapshot, and for read_only.
  [[nodiscard]] bool persistent() const noexcept;
  // How long a write waits for other processes from now on; returns the time until now. A wait under way ends by the
  // new time.
  std::chrono::milliseconds set_busy_timeout(std::chrono::milliseconds timeout) noexcept;

  // ---- Lookups: never throw for a damaged file (a miss, one message), never write, never wait for a writer.
  [[nodiscard]] std::optional<Winner> find_winner(const TuningKey& key) const;
  // Every bucket of the class on that device, for the nearest-bucket lookup; ordered by bucket text.
  [[nodiscard]] std::vector<Winner> winners_of_class(std::string_view class_text, std::string_view device,
                                                     std::string_view policy) const;
  // Checked against its SHA-256; a mismatch reads as absent and the row is deleted (library mode: by the next write).
  [[nodiscard]] std::optional<Binary> load_binary(std::string_view binary_key) const;
  [[nodiscard]] std::optional<std::string> load_source(std::string_view binary_key) const;
  // What was already measured there, oldest first: a tune that was cut short goes on from here.
  [[nodiscard]] std::vector<Measurement> measurements_of(const TuningKey& key) const;
  // How often this Binary faulted or timed out in that bucket on that device.
  [[nodiscard]] std::int64_t failures_of(std::string_view binary_key, std::string_view bucket_text,
                                         std::string_view device) const;

  // ---- Writes: one transaction each; throw Error(store_failed) and leave the Store as it was, or Error(refused) for a
  // row the schema's rules forbid. In library mode call them from the background writer only (background_writer.h).
  // The row, and for finalists the Binary and its Source. Returns the row's id. The same Binary may be published again.
  std::int64_t publish(const Record& record);
  // publish() of all in one transaction.
  std::vector<std::int64_t> publish(const std::vector<Record>& records);
  // publish() and set_winner() in one transaction.
  std::int64_t publish_winner(const Record& record, double default_ms);
  // Makes a stored Measurement the Winner of its TuningKey. The schema itself refuses one that is not ok, not verified,
  // without a time or a binary key, or of a simulator. The bucket's misses are forgotten.
  void set_winner(std::int64_t measurement_id, double default_ms);
  // A Binary that was compiled for use and not measured, and its Source; the same one may be kept again.
  void keep_binary(const Binary& binary, std::string_view source_text);
  // A second miss of the same class, bucket and device raises the count and keeps the latest problem and command.
  void record_miss(const Miss& miss);
  void forget_misses();
  // Keeps a Binary from eviction, as Winners' are anyway. False when there is none of that key.
  bool pin(std::string_view binary_key, bool pinned);
  // Writes what lookups noticed: last use of Binaries, corrupt blobs to delete. Cheap when there is nothing.
  void maintain();

  // ---- For `attentune cache`: throw Error(store_failed) when the file cannot be read.
  [[nodiscard]] std::vector<StoredMeasurement> measurements() const;
  [[nodiscard]] std::optional<StoredMeasurement> find_measurement(std::int64_t id) const;
  [[nodiscard]] std::vector<Winner> winners() const;
  [[nodiscard]] std::vector<StoredBinary> binaries() const;
  [[nodiscard]] std::vector<Miss> misses() const;
  [[nodiscard]] std::vector<Quarantined> quarantine() const;
  [[nodiscard]] StoreStats stats() const;
  // Pages, foreign keys, the rules for Winners and every blob's SHA-256. With heal (not in read_only) bad blobs are
  // deleted. Reads everything.
  [[nodiscard]] VerifyReport verify(bool heal);
  // Evicts least recently used Binaries (never a Winner's or a pinned one) until the file is within size_bytes; rows of
  // measurements stay.
  PruneReport prune(std::int64_t size_bytes);
  // 64 hex digits over what decides which Kernel runs: every Winner's key, family, Config and binary key. Two ranks
  // with the same hash choose the same Kernels.
  [[nodiscard]] std::string snapshot_hash() const;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attentune
