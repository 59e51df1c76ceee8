#include "generator/binary.h"

#include "generator/error.h"
#include "generator/launch_rule_json.h"
#include "generator/text.h"

namespace attentune {

std::string metadata_text(const Binary& binary) {
  const nlohmann::ordered_json json{
      {"key", binary.key},
      {"arch", binary.arch},
      {"family", binary.family},
      {"compiler", binary.compiler},
      {"options", binary.options},
      {"launches", nlohmann::json(binary.launches)},
      {"registers", binary.registers},
      {"spill_bytes", binary.spill_bytes},
      {"shared_bytes", binary.shared_bytes},
      {"minimum_driver", binary.minimum_driver},
      {"compile_ms", binary.compile_ms},
      {"warnings", binary.warnings},
      {"log", binary.log},
  };
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Binary parse_binary_metadata(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    return Binary{
        .key = json.at("key"),
        .arch = json.at("arch"),
        .family = json.at("family"),
        .compiler = json.at("compiler"),
        .options = json.at("options"),
        .object = {},
        .launches = json.at("launches").get<std::vector<LaunchRule>>(),
        .registers = json.at("registers"),
        .spill_bytes = json.at("spill_bytes"),
        .shared_bytes = json.at("shared_bytes"),
        .minimum_driver = json.at("minimum_driver"),
        .compile_ms = json.at("compile_ms"),
        .warnings = json.at("warnings").get<std::vector<std::string>>(),
        .log = json.at("log"),
    };
  } catch (const nlohmann::json::exception& error) {
    throw RefusalError({"binary metadata", shown(text), error.what(), "write it as attentune does"});
  }
}

}  // namespace attentune
