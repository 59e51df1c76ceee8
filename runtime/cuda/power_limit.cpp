#include "runtime/cuda/power_limit.h"

#include <fmt/format.h>

#include "runtime/cuda/shared_library.h"

namespace attentune::cuda {

std::string power_class(const std::string& pci_bus_id) {
  // NVML API reference: 0 is success; limits are in milliwatts.
  using Device = struct NvmlDeviceHandle*;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*by_bus_id)(const char* id, Device* device) = nullptr;
  int (*enforced_limit)(Device device, unsigned* milliwatts) = nullptr;
  int (*default_limit)(Device device, unsigned* milliwatts) = nullptr;
  const SharedLibrary nvml("libnvidia-ml.so.1");
  if (!nvml.is_open() || !nvml.find("nvmlInit_v2", init) || !nvml.find("nvmlShutdown", shutdown) ||
      !nvml.find("nvmlDeviceGetHandleByPciBusId_v2", by_bus_id) ||
      !nvml.find("nvmlDeviceGetEnforcedPowerLimit", enforced_limit) ||
      !nvml.find("nvmlDeviceGetPowerManagementDefaultLimit", default_limit) || init() != 0)
    return "";
  Device device = nullptr;
  unsigned enforced = 0;
  unsigned usual = 0;
  const bool known = by_bus_id(pci_bus_id.c_str(), &device) == 0 && enforced_limit(device, &enforced) == 0 &&
                     default_limit(device, &usual) == 0;
  shutdown();
  constexpr unsigned step = 50000;
  const auto rounded = [](const unsigned milliwatts) { return (milliwatts + step / 2) / step * step; };
  if (!known || rounded(enforced) == rounded(usual))
    return "";
  return fmt::format("{}W", rounded(enforced) / 1000);
}

}  // namespace attentune::cuda
