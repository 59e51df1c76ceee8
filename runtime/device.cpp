#include "runtime/device.h"

#include <charconv>
#include <chrono>
#include <string>

#include "generator/error.h"
#include "runtime/cuda/gpu_device.h"
#include "runtime/cuda/gpu_presence.h"
#include "runtime/host_device.h"

namespace attentune {
namespace {

[[noreturn]] void refuse(const std::string_view name, std::string limit, std::string remedy) {
  throw RefusalError(
      {.field = "device", .value = std::string(name), .limit = std::move(limit), .remedy = std::move(remedy)});
}

// "gpu:1" and, for the first, "gpu".
int gpu_ordinal(const std::string_view name) {
  if (name == "gpu") {
    return 0;
  }
  const std::string_view digits = name.substr(4);
  int ordinal = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    refuse(name, "GPUs are counted from 0", "use gpu:0");
  }
  return ordinal;
}

}  // namespace

double Device::time_ms(const std::function<void(Stream)>& call, const int calls) const {
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < calls; ++n) {
    call(nullptr);
  }
  synchronize();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

TensorMap Device::encode(const TensorMapShape&) const {
  throw RefusalError({.field = "tensor map",
                      .value = short_name(arch()),
                      .limit = "only GPUs of compute capability 9.0 and newer have them",
                      .remedy = "use another kernel family"});
}

std::shared_ptr<const Device> open_device(const std::string_view name, const DeviceOptions& options) {
  if (name == "host") {
    return std::make_shared<HostDevice>(options.threads);
  }
  if (name == "gpu" || name.starts_with("gpu:")) {
    return std::make_shared<cuda::GpuDevice>(cuda::Driver::open(), gpu_ordinal(name), options.compiler);
  }
  if (name == "sim" || name.starts_with("sim:")) {
    refuse(name, "simulators are opened by the command attentune only", "use gpu:0 or host");
  }
  refuse(name, "a device is host, gpu:0 or sim:ARCH", "use --device host");
}

std::shared_ptr<const Device> open_host(Executor& executor) { return std::make_shared<HostDevice>(executor); }

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  if (cuda::gpu_is_present()) {
    int count = 1;
    try {
      count = cuda::Driver::open()->device_count();
    } catch (const Error&) {
      // Opening the first tells what is wrong.
    }
    for (int ordinal = 0; ordinal < count; ++ordinal) {
      names.push_back("gpu:" + std::to_string(ordinal));
    }
  }
  names.emplace_back("host");
  return names;
}

std::string default_device_name() { return cuda::gpu_is_present() ? "gpu:0" : "host"; }

}  // namespace attentune
