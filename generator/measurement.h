// Measurement: one row: Kernel, Problem, Device, policy -> outcome, times, error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attentune {

enum class Outcome : std::uint8_t { ok, wrong, compile_failed, refused, faulted, timed_out };
[[nodiscard]] std::string_view name(Outcome outcome) noexcept;
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view text) noexcept;

struct Measurement {
  std::string binary_key;  // "" when nothing was compiled
  std::string family;
  std::string config;   // to_text(Config)
  std::string problem;  // canonical text of the Problem measured
  std::string device;   // to_text(DeviceIdentity)
  std::string policy;   // measurement policy id (key.h)
  Outcome outcome = Outcome::ok;
  double time_ms = 0;  // median; 0 when outcome is not ok
  double spread = 0;   // (p80 - p20) / median
  int repeats = 0;
  double error = 0;       // largest |out - exact| over its bound (<= 1 passes); 0 when not verified
  bool verified = false;  // both parts of promise 1 passed at this shape
  bool in_final = false;  // took part in the interleaved final
  std::string detail;     // log, signal, deadline: why it is not ok
};

// JSON text, both ways; parse throws RefusalError.
[[nodiscard]] std::string to_text(const Measurement& measurement);
[[nodiscard]] Measurement parse_measurement(std::string_view text);

}  // namespace attentune
