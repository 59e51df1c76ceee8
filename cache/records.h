// What goes into a Store and comes out of it, beside the values of the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "generator/binary.h"
#include "generator/measurement.h"

namespace attentune {

// The parts that generator/key.h's tuning_key() hashes, in clear, so that neighbours can be searched.
struct TuningKey {
  std::string class_text;   // class_text(Problem)
  std::string bucket_text;  // to_text(Bucket)
  std::string device;       // to_text(DeviceIdentity)
  std::string policy;       // Measurement::policy

  bool operator==(const TuningKey&) const = default;
};

// One candidate's publish. Every candidate leaves a row; only finalists bring their Binary and Source.
struct Record {
  std::string class_text;
  std::string bucket_text;
  Measurement measurement;       // its device and policy complete the TuningKey
  std::string session;           // names the run that measured it; printed, never compared with anything
  std::optional<Binary> binary;  // key must equal measurement.binary_key
  std::string source_text;       // kept only beside a binary
};

struct StoredMeasurement {
  std::int64_t id = 0;
  std::string class_text;
  std::string bucket_text;
  std::string session;
  std::int64_t measured_at = 0;  // Unix seconds
  Measurement measurement;
};

// A request that no Winner of its bucket could serve.
struct Miss {
  std::string class_text;
  std::string bucket_text;
  std::string device;
  std::string problem;  // canonical text of the latest such request
  std::string command;  // the command line that would tune it
  std::int64_t count = 1;
};

struct StoredBinary {
  std::string key;
  std::string family;  // "" when its metadata cannot be read
  std::string arch;
  std::int64_t object_bytes = 0;  // uncompressed
  std::int64_t stored_bytes = 0;  // object and Source as stored
  bool has_source = false;
  bool pinned = false;
  bool of_winner = false;
  std::int64_t last_used = 0;  // Unix seconds
};

// Derived from the Measurements: a Binary that brought its worker down.
struct Quarantined {
  std::string binary_key;
  std::string bucket_text;
  std::string device;
  std::int64_t faulted = 0;
  std::int64_t timed_out = 0;
};

struct StoreStats {
  int schema_version = 0;
  std::int64_t file_bytes = 0;  // pages in use; free pages are not counted
  std::int64_t binaries = 0;
  std::int64_t measurements = 0;
  std::int64_t winners = 0;
  std::int64_t misses = 0;
  std::int64_t corrupt_blobs = 0;  // found and dropped since the Store was made
};

struct VerifyReport {
  std::vector<std::string> problems;          // damaged pages, broken references, impossible Winners: a sentence each
  std::vector<std::string> corrupt_binaries;  // keys whose bytes do not match their SHA-256
  std::int64_t binaries_checked = 0;
  std::int64_t corrupt_before = 0;  // corrupt blobs found and dropped earlier
  bool healed = false;              // the corrupt binaries are gone from the Store

  [[nodiscard]] bool sound() const noexcept { return problems.empty() && corrupt_binaries.empty(); }
};

struct PruneReport {
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
  std::int64_t evicted = 0;
};

}  // namespace attentune
