#include "cache/schema.h"

#include <array>
#include <string>

#include "cache/sqlite.h"

namespace attentune {

namespace {

// A released version's text is never edited again: a change is one more row below, and its golden dump in
// tests/cache/data.
constexpr std::string_view version_1 = R"sql(
CREATE TABLE tunings(
  id          INTEGER PRIMARY KEY,
  class_text  TEXT NOT NULL,
  bucket_text TEXT NOT NULL,
  device      TEXT NOT NULL,
  policy      TEXT NOT NULL,
  UNIQUE(class_text, device, policy, bucket_text)
) STRICT;

CREATE TABLE binaries(
  key             TEXT PRIMARY KEY NOT NULL CHECK(length(key) = 64),
  metadata        TEXT NOT NULL,
  metadata_sha256 TEXT NOT NULL,
  object          BLOB NOT NULL,
  object_bytes    INTEGER NOT NULL,
  object_sha256   TEXT NOT NULL,
  source          BLOB,
  source_bytes    INTEGER NOT NULL DEFAULT 0,
  source_sha256   TEXT NOT NULL DEFAULT '',
  pinned          INTEGER NOT NULL DEFAULT 0 CHECK(pinned IN (0, 1)),
  last_used       INTEGER NOT NULL
) STRICT;

CREATE TABLE measurements(
  id          INTEGER PRIMARY KEY,
  tuning      INTEGER NOT NULL REFERENCES tunings(id),
  session     TEXT NOT NULL,
  measured_at INTEGER NOT NULL,
  binary_key  TEXT NOT NULL,
  family      TEXT NOT NULL,
  config      TEXT NOT NULL,
  problem     TEXT NOT NULL,
  outcome     TEXT NOT NULL
              CHECK(outcome IN ('ok', 'wrong', 'compile_failed', 'refused', 'faulted', 'timed_out')),
  time_ms     REAL NOT NULL,
  spread      REAL NOT NULL,
  repeats     INTEGER NOT NULL,
  error       REAL NOT NULL,
  verified    INTEGER NOT NULL CHECK(verified IN (0, 1)),
  in_final    INTEGER NOT NULL CHECK(in_final IN (0, 1)),
  detail      TEXT NOT NULL
) STRICT;
CREATE INDEX measurements_of_tuning ON measurements(tuning);
CREATE INDEX measurements_of_binary ON measurements(binary_key);

CREATE TABLE winners(
  tuning      INTEGER PRIMARY KEY REFERENCES tunings(id),
  measurement INTEGER NOT NULL UNIQUE REFERENCES measurements(id),
  default_ms  REAL NOT NULL,
  decided_at  INTEGER NOT NULL
) STRICT;

CREATE VIEW possible_winners AS
  SELECT m.id AS measurement, m.tuning AS tuning
  FROM measurements AS m JOIN tunings AS t ON t.id = m.tuning
  WHERE m.outcome = 'ok' AND m.verified = 1 AND m.time_ms > 0 AND length(m.binary_key) = 64
    AND (t.device IN ('host', 'gpu') OR t.device GLOB 'host *' OR t.device GLOB 'gpu *');

CREATE TRIGGER winner_is_verified_on_insert BEFORE INSERT ON winners
WHEN NOT EXISTS(SELECT 1 FROM possible_winners WHERE measurement = NEW.measurement AND tuning = NEW.tuning)
BEGIN
  SELECT RAISE(ABORT, 'a Winner must be an ok and verified Measurement of its own bucket on a host or GPU');
END;
CREATE TRIGGER winner_is_verified_on_update BEFORE UPDATE ON winners
WHEN NOT EXISTS(SELECT 1 FROM possible_winners WHERE measurement = NEW.measurement AND tuning = NEW.tuning)
BEGIN
  SELECT RAISE(ABORT, 'a Winner must be an ok and verified Measurement of its own bucket on a host or GPU');
END;
CREATE TRIGGER measurement_is_history BEFORE UPDATE ON measurements
BEGIN
  SELECT RAISE(ABORT, 'a Measurement is never changed');
END;
CREATE TRIGGER tuning_is_history BEFORE UPDATE ON tunings
BEGIN
  SELECT RAISE(ABORT, 'a tuning key is never changed');
END;

CREATE TABLE misses(
  class_text  TEXT NOT NULL,
  bucket_text TEXT NOT NULL,
  device      TEXT NOT NULL,
  problem     TEXT NOT NULL,
  command     TEXT NOT NULL,
  count       INTEGER NOT NULL CHECK(count > 0),
  last_seen   INTEGER NOT NULL,
  PRIMARY KEY(class_text, bucket_text, device)
) STRICT;

CREATE VIEW quarantine AS
  SELECT m.binary_key AS binary_key, t.bucket_text AS bucket_text, t.device AS device,
         sum(m.outcome = 'faulted') AS faulted, sum(m.outcome = 'timed_out') AS timed_out
  FROM measurements AS m JOIN tunings AS t ON t.id = m.tuning
  WHERE m.outcome IN ('faulted', 'timed_out') AND m.binary_key <> ''
  GROUP BY m.binary_key, t.bucket_text, t.device;

CREATE TABLE counters(
  name  TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL
) STRICT;
)sql";

constexpr std::array migrations{Migration{.version = 1, .sql = version_1}};

}  // namespace

std::span<const Migration> store_migrations() noexcept { return migrations; }
int store_schema_version() noexcept { return migrations.back().version; }

void migrate(const Connection& connection, std::span<const Migration> steps) {
  if (connection.integer("PRAGMA user_version") >= steps.back().version)
    return;
  Transaction transaction(connection);
  // Once more inside: another process may have migrated while we waited for the lock.
  const std::int64_t found = connection.integer("PRAGMA user_version");
  if (found == 0)
    connection.execute("PRAGMA application_id = " + std::to_string(store_application_id));
  for (const Migration& step : steps) {
    if (step.version <= found)
      continue;
    connection.execute(std::string(step.sql));
    connection.execute("PRAGMA user_version = " + std::to_string(step.version));
  }
  transaction.commit();
}

}  // namespace attentune
