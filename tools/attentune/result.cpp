#include "tools/attentune/result.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace attentune {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity; an output of NaN has an infinite error and must not read as "not measured".
Json number(const std::optional<double>& value) {
  if (!value)
    return nullptr;
  return std::isfinite(*value) ? Json(*value) : Json(1e300);
}

}  // namespace

Result describe(const Problem& problem, const std::string& name, const Kernel& kernel) {
  Result result;
  result.problem = to_text(problem);
  result.name = name;
  result.family = kernel.binary().family;
  result.config = to_text(kernel.config());
  result.device = to_text(kernel.device().identity());
  return result;
}

void set_time(Result& result, const Problem& problem, double time_ms, double spread) {
  result.time_ms = time_ms;
  result.spread = spread;
  if (time_ms > 0)
    result.flops = flops(problem) / (time_ms * 1e-3);
}

std::string json_line(const Result& result, const std::string& event) {
  const Json line{{"event", event},
                  {"problem", result.problem},
                  {"name", result.name},
                  {"family", result.family},
                  {"config", result.config},
                  {"device", result.device},
                  {"trust", result.trust},
                  {"provenance", result.provenance},
                  {"time_ms", number(result.time_ms)},
                  {"spread", number(result.spread)},
                  {"flops", number(result.flops)},
                  {"ceiling", number(result.ceiling)},
                  {"fraction", number(result.fraction)},
                  {"error", number(result.error)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace attentune
