// Quantities as people write and read them: "2m", "200M", "1.23 ms".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attentune {

// "30", "30s", "2m", "1.5h": positive seconds, at most 10000 hours, which every clock can count.
[[nodiscard]] std::optional<double> parse_seconds(std::string_view text);
// "0", "4096", "200K", "200M", "1G", powers of 1024.
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);

// Three significant digits and a unit: "950 ns", "1.23 ms", "4.50 s".
[[nodiscard]] std::string format_ms(double milliseconds);
// "1.5 KiB", "12.0 MiB".
[[nodiscard]] std::string format_bytes(double bytes);
// "153 GFLOP/s" from FLOP/s.
[[nodiscard]] std::string format_rate(double flop_per_second);
// "1 winner", "2 winners".
[[nodiscard]] std::string format_count(std::int64_t count, std::string_view one, std::string_view many);
// "1:05" minutes and seconds, for progress.
[[nodiscard]] std::string format_clock(double seconds);

}  // namespace attentune
