#include "tools/attentune/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace attentune {
namespace {

// A number and what follows it.
std::optional<double> leading_number(std::string_view text, std::string_view* rest) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value))
    return std::nullopt;
  *rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<double> parse_seconds(std::string_view text) {
  std::string_view unit;
  const auto number = leading_number(text, &unit);
  if (!number)
    return std::nullopt;
  double factor = 0;
  if (unit.empty() || unit == "s")
    factor = 1;
  else if (unit == "m")
    factor = 60;
  else if (unit == "h")
    factor = 3600;
  const double seconds = *number * factor;
  return seconds > 0 && seconds <= 10'000 * 3600.0 ? std::optional(seconds) : std::nullopt;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  std::string_view unit;
  const auto number = leading_number(text, &unit);
  if (!number || *number < 0 || *number > 0x1p50)
    return std::nullopt;
  double factor = 0;
  if (unit.empty() || unit == "B")
    factor = 1;
  else if (unit == "K" || unit == "KiB")
    factor = 0x1p10;
  else if (unit == "M" || unit == "MiB")
    factor = 0x1p20;
  else if (unit == "G" || unit == "GiB")
    factor = 0x1p30;
  else
    return std::nullopt;
  const double bytes = *number * factor;
  return bytes < 0x1p62 ? std::optional(static_cast<std::int64_t>(bytes)) : std::nullopt;
}

std::string format_ms(double milliseconds) {
  if (milliseconds >= 1000)
    return fmt::format("{:.2f} s", milliseconds / 1000);
  if (milliseconds >= 1)
    return fmt::format("{:.3g} ms", milliseconds);
  if (milliseconds >= 1e-3)
    return fmt::format("{:.3g} us", milliseconds * 1e3);
  return fmt::format("{:.3g} ns", milliseconds * 1e6);
}

std::string format_bytes(double bytes) {
  static constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string format_rate(double flop_per_second) { return fmt::format("{:.1f} GFLOP/s", flop_per_second / 1e9); }

std::string format_count(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string format_clock(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(0.0, std::round(seconds)));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace attentune
