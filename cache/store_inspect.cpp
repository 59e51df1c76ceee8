// Looking at a whole Store: what `attentune cache` prints, checks and prunes.
#include "cache/blob.h"
#include "cache/rows.h"
#include "cache/schema.h"
#include "cache/store_impl.h"
#include "generator/key.h"

namespace attentune {

namespace {

constexpr std::string_view winner_order = "ORDER BY t.class_text, t.bucket_text, t.device, t.policy";

std::int64_t corrupt_blobs(const Connection& connection) {
  return connection.integer("SELECT value FROM counters WHERE name = 'corrupt_blobs'");
}

// True when the row's metadata, object and Source are what was published.
bool sound(const Connection& connection, const std::string& key) {
  Statement row = connection.prepare(
      "SELECT metadata, metadata_sha256, object, object_bytes, object_sha256, source, source_bytes, source_sha256 "
      "FROM binaries WHERE key = ?");
  row.bind_all(key);
  if (!row.step())
    return true;  // deleted meanwhile
  if (sha256_hex(row.text(0)) != row.text(1))
    return false;
  if (!unpack_blob(row.blob(2), row.integer(3), row.text(4)))
    return false;
  return row.is_null(5) || unpack_blob(row.blob(5), row.integer(6), row.text(7));
}

// Runs one check; what SQLite says when it fails is a problem like any other.
template <typename Check>
void check(VerifyReport& report, const std::string& what, Check body) {
  try {
    body();
  } catch (const SqliteError& error) {
    report.problems.push_back(what + ": " + error.what());
  }
}

void check_structure(const Connection& connection, VerifyReport& report) {
  check(report, "pages", [&] {
    Statement row = connection.prepare("PRAGMA integrity_check");
    while (row.step()) {
      if (const std::string text = row.text(0); text != "ok")
        report.problems.push_back(text);
    }
  });
  check(report, "references", [&] {
    Statement row = connection.prepare("PRAGMA foreign_key_check");
    while (row.step()) {
      report.problems.push_back("row " + std::to_string(row.integer(1)) + " of " + row.text(0) +
                                " refers to a missing row of " + row.text(2));
    }
  });
  check(report, "winners", [&] {
    Statement row = connection.prepare(
        "SELECT w.tuning, w.measurement FROM winners AS w WHERE NOT EXISTS(SELECT 1 FROM possible_winners AS p "
        "WHERE p.measurement = w.measurement AND p.tuning = w.tuning)");
    while (row.step()) {
      report.problems.push_back("the Winner of tuning key " + std::to_string(row.integer(0)) + " is measurement " +
                                std::to_string(row.integer(1)) + ", which is not ok and verified; it is not used");
    }
  });
}

void check_binaries(const Connection& connection, VerifyReport& report) {
  std::vector<std::string> keys;
  check(report, "binaries", [&] {
    Statement row = connection.prepare("SELECT key FROM binaries ORDER BY key");
    while (row.step())
      keys.push_back(row.text(0));
  });
  for (const std::string& key : keys) {
    ++report.binaries_checked;
    check(report, "binary " + key, [&] {
      if (!sound(connection, key))
        report.corrupt_binaries.push_back(key);
    });
  }
}

}  // namespace

std::vector<StoredMeasurement> Store::measurements() const {
  return impl_->read([](const Connection& connection) {
    std::vector<StoredMeasurement> found;
    Statement row = connection.prepare(select_stored("ORDER BY m.id"));
    while (row.step()) {
      if (auto stored = read_stored(row))
        found.push_back(std::move(*stored));
    }
    return found;
  });
}

std::optional<StoredMeasurement> Store::find_measurement(std::int64_t id) const {
  return impl_->read([&](const Connection& connection) -> std::optional<StoredMeasurement> {
    Statement row = connection.prepare(select_stored("WHERE m.id = ?"));
    row.bind_all(id);
    return row.step() ? read_stored(row) : std::nullopt;
  });
}

std::vector<Winner> Store::winners() const {
  return impl_->read([](const Connection& connection) {
    std::vector<Winner> found;
    Statement row = connection.prepare(select_winners(winner_order));
    while (row.step()) {
      if (auto winner = read_winner(row))
        found.push_back(std::move(*winner));
    }
    return found;
  });
}

std::vector<StoredBinary> Store::binaries() const {
  return impl_->read([](const Connection& connection) {
    std::vector<StoredBinary> found;
    Statement row = connection.prepare(
        "SELECT key, metadata, object_bytes, length(object) + coalesce(length(source), 0), source IS NOT NULL, pinned, "
        "last_used, key IN (SELECT m.binary_key FROM winners AS w JOIN measurements AS m ON m.id = w.measurement) "
        "FROM binaries ORDER BY last_used DESC, key");
    while (row.step()) {
      StoredBinary binary{.key = row.text(0),
                          .family = {},
                          .arch = {},
                          .object_bytes = row.integer(2),
                          .stored_bytes = row.integer(3),
                          .has_source = row.integer(4) != 0,
                          .pinned = row.integer(5) != 0,
                          .of_winner = row.integer(7) != 0,
                          .last_used = row.integer(6)};
      try {
        const Binary parsed = parse_binary_metadata(row.text(1));
        binary.family = parsed.family;
        binary.arch = parsed.arch;
      } catch (const Error&) {
        // Shown without them; `verify` says why.
      }
      found.push_back(std::move(binary));
    }
    return found;
  });
}

std::vector<Miss> Store::misses() const {
  return impl_->read([](const Connection& connection) {
    std::vector<Miss> found;
    Statement row = connection.prepare(
        "SELECT class_text, bucket_text, device, problem, command, count FROM misses "
        "ORDER BY count DESC, last_seen DESC, class_text, bucket_text, device");
    while (row.step()) {
      found.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5)});
    }
    return found;
  });
}

std::vector<Quarantined> Store::quarantine() const {
  return impl_->read([](const Connection& connection) {
    std::vector<Quarantined> found;
    Statement row = connection.prepare(
        "SELECT binary_key, bucket_text, device, faulted, timed_out FROM quarantine "
        "ORDER BY binary_key, bucket_text, device");
    while (row.step()) {
      found.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4)});
    }
    return found;
  });
}

StoreStats Store::stats() const {
  return impl_->read([](const Connection& connection) {
    return StoreStats{.schema_version = static_cast<int>(connection.integer("PRAGMA user_version")),
                      .file_bytes = used_bytes(connection),
                      .binaries = connection.integer("SELECT count(*) FROM binaries"),
                      .measurements = connection.integer("SELECT count(*) FROM measurements"),
                      .winners = connection.integer("SELECT count(*) FROM winners"),
                      .misses = connection.integer("SELECT count(*) FROM misses"),
                      .corrupt_blobs = corrupt_blobs(connection)};
  });
}

VerifyReport Store::verify(bool heal) {
  VerifyReport report = impl_->read([](const Connection& connection) {
    VerifyReport found;
    check_structure(connection, found);
    check_binaries(connection, found);
    check(found, "counters", [&] { found.corrupt_before = corrupt_blobs(connection); });
    return found;
  });
  if (!heal || report.corrupt_binaries.empty() || impl_->mode == StoreMode::read_only)
    return report;
  impl_->write([&](const Connection& connection) {
    for (const std::string& key : report.corrupt_binaries) {
      if (sound(connection, key))
        continue;
      connection.run("DELETE FROM binaries WHERE key = ?", key);
      connection.run(
          "INSERT INTO counters VALUES('corrupt_blobs', 1) "
          "ON CONFLICT(name) DO UPDATE SET value = value + 1");
    }
  });
  report.healed = true;
  return report;
}

PruneReport Store::prune(std::int64_t size_bytes) {
  PruneReport report = impl_->write([&](const Connection& connection) {
    PruneReport done;
    done.bytes_before = used_bytes(connection);
    done.evicted = evict(connection, size_bytes);
    done.bytes_after = used_bytes(connection);
    return done;
  });
  // Give the pages back to the file system. Another process reading just now only delays that.
  try {
    const std::lock_guard lock(impl_->writer->mutex);
    impl_->writer->connection.execute("PRAGMA incremental_vacuum");
    impl_->writer->connection.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const SqliteError& error) {
    if (!error.busy())
      throw store_error(error, impl_->path);
  }
  return report;
}

std::string Store::snapshot_hash() const {
  std::string text;
  for (const Winner& winner : winners()) {
    const Measurement& m = winner.measurement;
    for (const std::string* field :
         {&winner.class_text, &winner.bucket_text, &m.device, &m.policy, &m.family, &m.config, &m.binary_key}) {
      text += std::to_string(field->size()) + ':' + *field;
    }
  }
  return sha256_hex(text);
}

}  // namespace attentune
