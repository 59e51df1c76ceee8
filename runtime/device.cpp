#include "runtime/device.h"

#include <chrono>
#include <string>

#include "generator/error.h"
#include "runtime/host_device.h"

namespace attentune {
namespace {

[[noreturn]] void refuse(const std::string_view name, std::string limit, std::string remedy) {
  throw RefusalError(
      {.field = "device", .value = std::string(name), .limit = std::move(limit), .remedy = std::move(remedy)});
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
    refuse(name, "this version runs on the host CPU only", "use --device host");
  }
  if (name == "sim" || name.starts_with("sim:")) {
    refuse(name, "this version has no simulator", "use --device host");
  }
  refuse(name, "a device is host, gpu:0 or sim:ARCH", "use --device host");
}

std::shared_ptr<const Device> open_host(Executor& executor) { return std::make_shared<HostDevice>(executor); }

// No family of this version serves a GPU, so the host is the best device wherever we are.
std::string default_device_name() { return "host"; }

}  // namespace attentune
