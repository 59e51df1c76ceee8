// Winner: the best verified Measurement of a bucket on a Device. It is current if today's generator and compiler
// reproduce measurement.binary_key, else stale; runtime/rendering.h tells which.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generator/measurement.h"

namespace attentune {

// How far a Kernel was checked before it is used (promise 1).
enum class Trust : std::uint8_t { compiled_only, verified_elsewhere, verified_here };
[[nodiscard]] std::string_view name(Trust trust) noexcept;

// How a lookup came to its Kernel.
enum class Provenance : std::uint8_t { exact_bucket, nearest_bucket, stale, default_config };
[[nodiscard]] std::string_view name(Provenance provenance) noexcept;

struct Winner {
  std::string class_text;   // key.h
  std::string bucket_text;  // bucket.h
  Measurement measurement;  // outcome ok and verified, always
  double default_ms = 0;    // the default Config's time in the same final; 0 if it was not ok
  bool current = true;      // does today's generator and compiler reproduce measurement.binary_key?
};

}  // namespace attentune
