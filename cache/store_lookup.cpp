// Lookups: what a Problem needs on its way to a Kernel. A damaged file reads as a miss.
#include "cache/blob.h"
#include "cache/rows.h"
#include "cache/store_impl.h"
#include "generator/key.h"

namespace attentune {

std::optional<Winner> Store::find_winner(const TuningKey& key) const {
  return impl_->lookup(std::optional<Winner>(), [&](const Connection& connection) -> std::optional<Winner> {
    Statement row = connection.prepare(
        select_winners("WHERE t.class_text = ? AND t.bucket_text = ? AND t.device = ? AND t.policy = ?"));
    row.bind_all(key.class_text, key.bucket_text, key.device, key.policy);
    return row.step() ? read_winner(row) : std::nullopt;
  });
}

std::vector<Winner> Store::winners_of_class(std::string_view class_text, std::string_view device,
                                            std::string_view policy) const {
  return impl_->lookup(std::vector<Winner>(), [&](const Connection& connection) {
    std::vector<Winner> found;
    Statement row = connection.prepare(
        select_winners("WHERE t.class_text = ? AND t.device = ? AND t.policy = ? ORDER BY t.bucket_text"));
    row.bind_all(class_text, device, policy);
    while (row.step()) {
      if (auto winner = read_winner(row))
        found.push_back(std::move(*winner));
    }
    return found;
  });
}

std::optional<Binary> Store::load_binary(std::string_view binary_key) const {
  bool present = false;
  auto binary = impl_->lookup(std::optional<Binary>(), [&](const Connection& connection) -> std::optional<Binary> {
    Statement row = connection.prepare(
        "SELECT metadata, metadata_sha256, object, object_bytes, object_sha256 FROM binaries WHERE key = ?");
    row.bind_all(binary_key);
    if (!row.step())
      return std::nullopt;
    present = true;
    // The metadata holds launch rules: a flipped digit there is as bad as one in the code.
    const std::string metadata = row.text(0);
    if (sha256_hex(metadata) != row.text(1))
      return std::nullopt;
    auto object = unpack_blob(row.blob(2), row.integer(3), row.text(4));
    if (!object)
      return std::nullopt;
    try {
      Binary found = parse_binary_metadata(metadata);
      if (found.key != binary_key)
        return std::nullopt;
      found.object = std::move(*object);
      return found;
    } catch (const Error&) {
      return std::nullopt;
    }
  });
  if (!present)
    return std::nullopt;
  {
    const std::lock_guard lock(impl_->noticed_mutex);
    if (binary)
      impl_->used.insert_or_assign(std::string(binary_key), unix_time());
    else
      impl_->corrupt.emplace(binary_key);
  }
  if (!binary) {
    impl_->say_once("corrupt",
                    "the Store " + impl_->path + " held a damaged Binary; it is dropped and will be compiled again");
    if (impl_->mode == StoreMode::read_write) {
      try {
        impl_->write([](const Connection&) {});
      } catch (const Error&) {
        // The next write tries again.
      }
    }
  }
  return binary;
}

std::optional<std::string> Store::load_source(std::string_view binary_key) const {
  return impl_->lookup(std::optional<std::string>(), [&](const Connection& connection) -> std::optional<std::string> {
    Statement row = connection.prepare(
        "SELECT source, source_bytes, source_sha256 FROM binaries WHERE key = ? AND source IS NOT NULL");
    row.bind_all(binary_key);
    if (!row.step())
      return std::nullopt;
    const auto text = unpack_blob(row.blob(0), row.integer(1), row.text(2));
    if (!text)
      return std::nullopt;
    return std::string(as_text(*text));
  });
}

std::vector<Measurement> Store::measurements_of(const TuningKey& key) const {
  return impl_->lookup(std::vector<Measurement>(), [&](const Connection& connection) {
    std::vector<Measurement> found;
    Statement row = connection.prepare(
        select_stored("WHERE t.class_text = ? AND t.bucket_text = ? AND t.device = ? AND t.policy = ? ORDER BY m.id"));
    row.bind_all(key.class_text, key.bucket_text, key.device, key.policy);
    while (row.step()) {
      if (auto stored = read_stored(row))
        found.push_back(std::move(stored->measurement));
    }
    return found;
  });
}

std::int64_t Store::failures_of(std::string_view binary_key, std::string_view bucket_text,
                                std::string_view device) const {
  return impl_->lookup(std::int64_t{0}, [&](const Connection& connection) {
    return connection.integer(
        "SELECT count(*) FROM measurements AS m JOIN tunings AS t ON t.id = m.tuning WHERE m.binary_key = ? "
        "AND t.bucket_text = ? AND t.device = ? AND m.outcome IN ('faulted', 'timed_out')",
        binary_key, bucket_text, device);
  });
}

}  // namespace attentune
