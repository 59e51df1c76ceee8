#include "generator/measurement.h"

#include <array>

#include <nlohmann/json.hpp>

#include "generator/error.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::array<std::string_view, 6> outcome_names{"ok",      "wrong",   "compile_failed",
                                                        "refused", "faulted", "timed_out"};

}  // namespace

std::string_view name(Outcome outcome) noexcept { return outcome_names[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> parse_outcome(std::string_view text) noexcept {
  for (std::size_t i = 0; i < outcome_names.size(); ++i) {
    if (outcome_names[i] == text)
      return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

std::string to_text(const Measurement& m) {
  const nlohmann::ordered_json json{
      {"binary_key", m.binary_key}, {"family", m.family},   {"config", m.config},         {"problem", m.problem},
      {"device", m.device},         {"policy", m.policy},   {"outcome", name(m.outcome)}, {"time_ms", m.time_ms},
      {"spread", m.spread},         {"repeats", m.repeats}, {"error", m.error},           {"verified", m.verified},
      {"in_final", m.in_final},     {"detail", m.detail},
  };
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Measurement parse_measurement(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    const auto outcome = parse_outcome(json.at("outcome").get<std::string>());
    if (!outcome)
      throw RefusalError({"outcome", json.at("outcome").get<std::string>(), "it is no outcome", ""});
    return Measurement{
        .binary_key = json.at("binary_key"),
        .family = json.at("family"),
        .config = json.at("config"),
        .problem = json.at("problem"),
        .device = json.at("device"),
        .policy = json.at("policy"),
        .outcome = *outcome,
        .time_ms = json.at("time_ms"),
        .spread = json.at("spread"),
        .repeats = json.at("repeats"),
        .error = json.at("error"),
        .verified = json.at("verified"),
        .in_final = json.at("in_final"),
        .detail = json.at("detail"),
    };
  } catch (const nlohmann::json::exception& error) {
    throw RefusalError({"measurement", shown(text), error.what(), "write it as attentune does"});
  }
}

}  // namespace attentune
