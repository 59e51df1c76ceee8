// Rows to values: the one place that knows the columns of a Measurement. Private to cache/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/records.h"
#include "cache/sqlite.h"
#include "generator/winner.h"

namespace attentune {

// For `SELECT <stored_columns> FROM <stored_tables> ...`: m is the measurement, t its tuning key.
inline constexpr std::string_view stored_columns =
    "m.id, t.class_text, t.bucket_text, m.session, m.measured_at, m.binary_key, m.family, m.config, m.problem, "
    "t.device, "
    "t.policy, m.outcome, m.time_ms, m.spread, m.repeats, m.error, m.verified, m.in_final, m.detail";
inline constexpr std::string_view stored_tables = "measurements AS m JOIN tunings AS t ON t.id = m.tuning";

// nullopt for a row that no attentune wrote: it reads as absent.
[[nodiscard]] std::optional<StoredMeasurement> read_stored(const Statement& row);

// For `SELECT <stored_columns>, w.default_ms FROM <winner_tables> ...`. The joins repeat the schema's rule, so that a
// damaged row cannot pass for a Winner.
inline constexpr std::string_view winner_tables =
    "winners AS w JOIN measurements AS m ON m.id = w.measurement JOIN tunings AS t ON t.id = w.tuning "
    "JOIN possible_winners AS p ON p.measurement = w.measurement AND p.tuning = w.tuning";
[[nodiscard]] std::optional<Winner> read_winner(const Statement& row);

// "SELECT <columns>... FROM <tables> <rest>"
[[nodiscard]] std::string select_stored(std::string_view rest);
[[nodiscard]] std::string select_winners(std::string_view rest);

}  // namespace attentune
