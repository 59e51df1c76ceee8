#include "tools/attentune/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "generator/error.h"
#include "runtime/llvm/compiler.h"
#include "runtime/simulator/device/simulator_device.h"
#include "runtime/watchdog.h"
#include "tools/attentune/output.h"

namespace attentune {

std::string device_name_of(const Arguments& arguments) {
  return arguments.device.empty() ? default_device_name() : arguments.device;
}

int threads_of(const Arguments& arguments) {
  return arguments.threads > 0 ? arguments.threads : read_settings().threads;
}

CompilerOptions compiler_options() {
  const Settings settings = read_settings();
  return {.nvrtc = settings.nvrtc.value_or(""), .search_path = settings.search_path};
}

std::shared_ptr<const Device> open(const std::string& device, const Arguments& arguments) {
  const bool simulated = simulator::names_simulator(device);
  CompilerOptions compiler = compiler_options();
  if (arguments.watchdog)
    compiler.watchdog_polls = simulated ? simulator_watchdog_polls : gpu_watchdog_polls;
  if (simulated)
    return simulator::open_simulator(device, compiler);
  return open_device(device, {.threads = threads_of(arguments), .compiler = compiler});
}

std::shared_ptr<const Device> device_of(const Arguments& arguments) {
  return open(device_name_of(arguments), arguments);
}

std::string store_path_of(const Arguments& arguments) {
  std::string path = arguments.store.empty() ? read_settings().store : arguments.store;
  if (path.empty())
    throw Error(Status::misuse, "there is no place for a Store: HOME is not set; give --store PATH");
  return path;
}

namespace {

// A pipe would be waited for without end, and what SQLite says of a folder helps nobody.
void require_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw Error(Status::misuse,
                fmt::format("the Store {} is {}; name a file with --store PATH", path,
                            std::filesystem::is_directory(status) ? "a folder" : "a device, pipe or socket"));
}

}  // namespace

std::shared_ptr<Store> store_of(const Arguments& arguments, StoreMode mode) {
  const std::string path = store_path_of(arguments);
  if (path == ":memory:") {
    if (mode == StoreMode::library)
      return Store::in_memory(complain);
    throw Error(Status::misuse, "the Store :memory: is empty and keeps nothing; name a file with --store PATH");
  }
  require_file(path);
  return Store::open({.path = path, .mode = mode, .message = complain});
}

Arch arch_of(const Arguments& arguments) {
  if (!arguments.arch)
    return device_of(arguments)->arch();
  if (arguments.arch->rfind("sm_", 0) == 0)
    return gpu_arch(*arguments.arch);
  return llvm_backend::host_arch(*arguments.arch);
}

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0 || static_cast<std::size_t>(length) == path.size())
    throw Error(Status::device_failed, "/proc/self/exe cannot be read, so no worker can be started; mount /proc");
  return {path.data(), static_cast<std::size_t>(length)};
}

FamilyConfig choose(const Problem& problem, const Arch& arch, const std::optional<std::string>& config) {
  if (!config) {
    const KernelFamily& family = family_for(problem, arch);
    return {.family = &family, .config = family.default_config(problem, arch)};
  }
  const Config chosen = parse_config(*config);
  const KernelFamily& family = family_for(problem, arch, chosen);
  if (const auto reason = family.space(problem, arch).why_not(chosen))
    throw RefusalError({"config", *config, fmt::format("{} says: {}", family.name(), *reason),
                        "`attentune space` with the same problem lists what works"});
  return {.family = &family, .config = chosen};
}

std::shared_ptr<const Kernel> build(const Problem& problem, const std::shared_ptr<const Device>& device,
                                    const KernelFamily& family, const Config& config) {
  return Kernel::load(device, problem, config,
                      compile(render(family, problem, config, device->arch(), device->compiler()), device->compiler()));
}

Binary compile(const Rendering& rendering, const Compiler& compiler) {
  Binary binary = compiler.compile(rendering.source);
  binary.family = rendering.family->name();
  binary.key = rendering.key;
  return binary;
}

}  // namespace attentune
