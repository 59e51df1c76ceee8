#include "generator/launch_rule.h"

#include "generator/error.h"
#include "generator/launch_rule_json.h"
#include "generator/text.h"

namespace attentune {

std::string to_text(const std::vector<LaunchRule>& rules) { return nlohmann::json(rules).dump(); }

std::vector<LaunchRule> parse_launch_rules(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<std::vector<LaunchRule>>();
  } catch (const nlohmann::json::exception& error) {
    throw RefusalError({"launch rules", shown(text), error.what(), "write them as attentune does"});
  }
}

}  // namespace attentune
