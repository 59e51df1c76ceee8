// Result: what a command found out about one problem; one JSON object a line with fields that never change meaning.
#pragma once

#include <optional>
#include <string>

#include "generator/problem.h"
#include "runtime/kernel.h"

namespace attentune {

struct Result {
  std::string problem;  // canonical text
  std::string name;     // the workload's, or ""
  std::string family;
  std::string config;
  std::string device;  // to_text(DeviceIdentity)
  std::string trust;
  std::string provenance;
  // Nothing where it was not measured (JSON null).
  std::optional<double> time_ms;   // median of one call
  std::optional<double> spread;    // (p80 - p20) / median
  std::optional<double> flops;     // FLOP/s, over visible keys only
  std::optional<double> ceiling;   // FLOP/s that this machine allows this problem
  std::optional<double> fraction;  // flops / ceiling
  std::optional<double> error;     // largest |out - exact| over its bound; at most 1 passes
};

// What is known before anything ran.
[[nodiscard]] Result describe(const Problem& problem, const std::string& name, const Kernel& kernel);
// Fills time_ms, spread and flops.
void set_time(Result& result, const Problem& problem, double time_ms, double spread);

// One line; `event` comes first, then every field above under its own name, in a fixed order.
[[nodiscard]] std::string json_line(const Result& result, const std::string& event);

}  // namespace attentune
