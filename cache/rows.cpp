#include "cache/rows.h"

namespace attentune {

namespace {
constexpr int column_after_stored = 19;
}

std::optional<StoredMeasurement> read_stored(const Statement& row) {
  const std::optional<Outcome> outcome = parse_outcome(row.text(11));
  if (!outcome)
    return std::nullopt;
  return StoredMeasurement{.id = row.integer(0),
                           .class_text = row.text(1),
                           .bucket_text = row.text(2),
                           .session = row.text(3),
                           .measured_at = row.integer(4),
                           .measurement = Measurement{.binary_key = row.text(5),
                                                      .family = row.text(6),
                                                      .config = row.text(7),
                                                      .problem = row.text(8),
                                                      .device = row.text(9),
                                                      .policy = row.text(10),
                                                      .outcome = *outcome,
                                                      .time_ms = row.real(12),
                                                      .spread = row.real(13),
                                                      .repeats = static_cast<int>(row.integer(14)),
                                                      .error = row.real(15),
                                                      .verified = row.integer(16) != 0,
                                                      .in_final = row.integer(17) != 0,
                                                      .detail = row.text(18)}};
}

std::optional<Winner> read_winner(const Statement& row) {
  std::optional<StoredMeasurement> stored = read_stored(row);
  if (!stored)
    return std::nullopt;
  return Winner{.class_text = std::move(stored->class_text),
                .bucket_text = std::move(stored->bucket_text),
                .measurement = std::move(stored->measurement),
                .default_ms = row.real(column_after_stored)};
}

std::string select_stored(std::string_view rest) {
  return std::string("SELECT ").append(stored_columns).append(" FROM ").append(stored_tables).append(" ").append(rest);
}
std::string select_winners(std::string_view rest) {
  return std::string("SELECT ")
      .append(stored_columns)
      .append(", w.default_ms FROM ")
      .append(winner_tables)
      .append(" ")
      .append(rest);
}

}  // namespace attentune
