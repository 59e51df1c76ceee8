// Writes: one transaction each, so that a reader, a second process or a crash sees all of a publish or nothing.
#include <chrono>
#include <optional>

#include "cache/blob.h"
#include "cache/schema.h"
#include "cache/store_impl.h"
#include "generator/key.h"

namespace attentune {

namespace {

// A Binary and its Source as stored; compressed before the transaction begins: the write lock is held for the inserts
// alone.
struct Packed {
  std::string key;
  std::string metadata;
  std::string metadata_sha256;
  Blob object;
  Blob source;
};

Packed pack(const Binary& binary, std::string_view source_text) {
  Packed packed{.key = binary.key,
                .metadata = metadata_text(binary),
                .metadata_sha256 = {},
                .object = pack_blob(as_text(binary.object)),
                .source = {}};
  packed.metadata_sha256 = sha256_hex(packed.metadata);
  if (!source_text.empty())
    packed.source = pack_blob(source_text);
  return packed;
}

std::optional<Packed> pack(const Record& record) {
  if (!record.binary)
    return std::nullopt;
  if (record.binary->key != record.measurement.binary_key) {
    throw Error(Status::internal, "a Record's Binary has the key " + record.binary->key + " and its Measurement " +
                                      record.measurement.binary_key);
  }
  return pack(*record.binary, record.source_text);
}

void insert_binary(const Connection& connection, const Packed& packed) {
  Statement row = connection.prepare(
      "INSERT INTO binaries(key, metadata, metadata_sha256, object, object_bytes, object_sha256, source, source_bytes, "
      "source_sha256, last_used) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(key) DO UPDATE SET metadata = excluded.metadata, metadata_sha256 = excluded.metadata_sha256, "
      "object = excluded.object, object_bytes = excluded.object_bytes, object_sha256 = excluded.object_sha256, "
      "last_used = excluded.last_used, "
      // A publish without Source keeps the one that is there.
      "source_bytes = CASE WHEN excluded.source IS NULL THEN source_bytes ELSE excluded.source_bytes END, "
      "source_sha256 = CASE WHEN excluded.source IS NULL THEN source_sha256 ELSE excluded.source_sha256 END, "
      "source = coalesce(excluded.source, source)");
  const std::span<const std::uint8_t> object = packed.object.packed;
  const std::span<const std::uint8_t> source = packed.source.packed;
  row.bind_all(packed.key, packed.metadata, packed.metadata_sha256, object, packed.object.bytes, packed.object.sha256);
  if (source.empty())
    row.bind(7, std::nullopt);
  else
    row.bind(7, source);
  row.bind(8, packed.source.bytes);
  row.bind(9, packed.source.sha256);
  row.bind(10, unix_time());
  while (row.step()) {
  }
}

std::int64_t tuning_id(const Connection& connection, const Record& record) {
  const Measurement& m = record.measurement;
  connection.run(
      "INSERT INTO tunings(class_text, bucket_text, device, policy) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING",
      record.class_text, record.bucket_text, m.device, m.policy);
  return connection.integer(
      "SELECT id FROM tunings WHERE class_text = ? AND bucket_text = ? AND device = ? AND policy = ?",
      record.class_text, record.bucket_text, m.device, m.policy);
}

std::int64_t insert(const Connection& connection, const Record& record, const std::optional<Packed>& packed) {
  const Measurement& m = record.measurement;
  const std::int64_t tuning = tuning_id(connection, record);
  if (packed)
    insert_binary(connection, *packed);
  connection.run(
      "INSERT INTO measurements(tuning, session, measured_at, binary_key, family, config, problem, outcome, time_ms, "
      "spread, repeats, error, verified, in_final, detail) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      tuning, record.session, unix_time(), m.binary_key, m.family, m.config, m.problem, name(m.outcome), m.time_ms,
      m.spread, m.repeats, m.error, m.verified, m.in_final, m.detail);
  return connection.last_insert_id();
}

void insert_winner(const Connection& connection, std::int64_t measurement_id, double default_ms) {
  const std::int64_t tuning = connection.integer("SELECT tuning FROM measurements WHERE id = ?", measurement_id);
  connection.run(
      "INSERT INTO winners VALUES(?, ?, ?, ?) ON CONFLICT(tuning) DO UPDATE SET measurement = excluded.measurement, "
      "default_ms = excluded.default_ms, decided_at = excluded.decided_at",
      tuning, measurement_id, default_ms, unix_time());
  connection.run(
      "DELETE FROM misses WHERE (class_text, bucket_text, device) = "
      "(SELECT class_text, bucket_text, device FROM tunings WHERE id = ?)",
      tuning);
}

void keep_below(const Connection& connection, std::int64_t cap) {
  if (cap > 0)
    evict(connection, cap);
}

}  // namespace

std::int64_t Store::publish(const Record& record) {
  const std::optional<Packed> packed = pack(record);
  return impl_->write([&](const Connection& connection) {
    const std::int64_t id = insert(connection, record, packed);
    if (packed)
      keep_below(connection, impl_->size_cap_bytes);
    return id;
  });
}

std::vector<std::int64_t> Store::publish(const std::vector<Record>& records) {
  std::vector<std::optional<Packed>> packed;
  packed.reserve(records.size());
  for (const Record& record : records)
    packed.push_back(pack(record));
  return impl_->write([&](const Connection& connection) {
    std::vector<std::int64_t> ids;
    ids.reserve(records.size());
    for (std::size_t n = 0; n < records.size(); ++n)
      ids.push_back(insert(connection, records[n], packed[n]));
    keep_below(connection, impl_->size_cap_bytes);
    return ids;
  });
}

std::int64_t Store::publish_winner(const Record& record, double default_ms) {
  const std::optional<Packed> packed = pack(record);
  return impl_->write([&](const Connection& connection) {
    const std::int64_t id = insert(connection, record, packed);
    insert_winner(connection, id, default_ms);
    keep_below(connection, impl_->size_cap_bytes);
    return id;
  });
}

void Store::keep_binary(const Binary& binary, std::string_view source_text) {
  const Packed packed = pack(binary, source_text);
  impl_->write([&](const Connection& connection) {
    insert_binary(connection, packed);
    keep_below(connection, impl_->size_cap_bytes);
  });
}

void Store::set_winner(std::int64_t measurement_id, double default_ms) {
  impl_->write([&](const Connection& connection) { insert_winner(connection, measurement_id, default_ms); });
}

void Store::record_miss(const Miss& miss) {
  impl_->write([&](const Connection& connection) {
    connection.run(
        "INSERT INTO misses VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET problem = excluded.problem, "
        "command = excluded.command, count = count + excluded.count, last_seen = excluded.last_seen",
        miss.class_text, miss.bucket_text, miss.device, miss.problem, miss.command, miss.count, unix_time());
  });
}

void Store::forget_misses() {
  impl_->write([](const Connection& connection) { connection.execute("DELETE FROM misses"); });
}

bool Store::pin(std::string_view binary_key, bool pinned) {
  return impl_->write([&](const Connection& connection) {
    connection.run("UPDATE binaries SET pinned = ? WHERE key = ?", pinned, binary_key);
    return connection.changes() > 0;
  });
}

void Store::maintain() {
  impl_->check_process();
  {
    const std::lock_guard lock(impl_->noticed_mutex);
    if (impl_->used.empty() && impl_->corrupt.empty())
      return;
  }
  impl_->write([](const Connection&) {});
}

}  // namespace attentune
