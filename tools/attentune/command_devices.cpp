// attentune devices: what kernels can run on.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/attentune/command.h"
#include "tools/attentune/gpu_presence.h"
#include "tools/attentune/session.h"

namespace attentune {

int run_devices(const Arguments& arguments) {
  const auto device = device_of(arguments);
  const std::string name = device_name_of(arguments);
  const std::string gpu = gpu_presence_sentence(find_gpu());
  if (arguments.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"event", "device"},
                                              {"name", name},
                                              {"device", to_text(device->identity())},
                                              {"arch", to_text(device->arch())},
                                              {"compiler", device->compiler().name()}}
                           .dump());
    return 0;
  }
  fmt::print("{}\n  {}\n  compiled by {}\n", name, to_text(device->identity()), device->compiler().name());
  fmt::print("gpu\n  {}\n", gpu);
  return 0;
}

}  // namespace attentune
