// attentune devices: what kernels can run on.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "generator/error.h"
#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

// What is wrong with a device, or its compiler, does not hide the others.
std::string compiler_of(const Device& device) {
  try {
    return device.compiler().name();
  } catch (const Error& error) {
    return std::string("none: ") + error.what();
  }
}

bool show(const std::string& name, const Arguments& arguments) {
  try {
    const auto device = open(name, arguments);
    const std::string compiler = compiler_of(*device);
    if (arguments.json)
      print_json({{"event", "device"},
                  {"name", name},
                  {"device", to_text(device->identity())},
                  {"arch", to_text(device->arch())},
                  {"compiler", compiler}});
    else
      fmt::print("{}\n  {}\n  compiled by {}\n", name, to_text(device->identity()), compiler);
    return true;
  } catch (const Error& error) {
    if (arguments.json)
      print_json({{"event", "device"}, {"name", name}, {"error", error.what()}});
    else
      fmt::print("{}\n  cannot be used: {}\n", name, error.what());
    return false;
  }
}

}  // namespace

int run_devices(const Arguments& arguments) {
  if (!arguments.device.empty())
    return show(arguments.device, arguments) ? 0 : 1;
  bool any = false;
  for (const std::string& name : device_names())
    any = show(name, arguments) || any;
  return any ? 0 : 1;
}

}  // namespace attentune
