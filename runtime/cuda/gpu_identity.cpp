#include "runtime/cuda/gpu_identity.h"

#include <array>
#include <cmath>
#include <string>

#include "runtime/cuda/power_limit.h"

namespace attentune::cuda {

GpuFacts gpu_facts(const Driver& driver, const CuDevice device) {
  constexpr const char* asking = "asking what the GPU is";
  const auto attribute = [&](const CuDeviceAttribute which) {
    int value = 0;
    driver.check(driver.DeviceGetAttribute(&value, which, device), asking);
    return value;
  };
  const int major = attribute(CuDeviceAttribute::compute_capability_major);
  const int minor = attribute(CuDeviceAttribute::compute_capability_minor);
  GpuFacts facts{.identity = {},
                 .arch = gpu_arch(major, minor),
                 .compute_capability = 10 * major + minor,
                 .shared_per_block = attribute(CuDeviceAttribute::max_shared_memory_per_block_optin)};

  std::array<char, 256> text{};
  driver.check(driver.DeviceGetName(text.data(), static_cast<int>(text.size() - 1), device), asking);
  std::string name = text.data();
  DeviceIdentity& identity = facts.identity;
  // A slice of a GPU is called "NVIDIA H100 80GB HBM3 MIG 1g.10gb".
  if (const std::size_t mig = name.find(" MIG "); mig != std::string::npos) {
    identity.mig_profile = name.substr(mig + 5);
    name.resize(mig);
  }
  std::size_t memory = 0;
  driver.check(driver.DeviceTotalMem(&memory, device), asking);
  identity.kind = DeviceIdentity::Kind::gpu;
  identity.name = name;
  identity.arch = short_name(facts.arch);
  identity.l2_kib = attribute(CuDeviceAttribute::l2_cache_size) / 1024;
  identity.sms = attribute(CuDeviceAttribute::multiprocessor_count);
  identity.memory_gib = std::llround(static_cast<double>(memory) / 0x1p30);
  identity.bus_bits = attribute(CuDeviceAttribute::memory_bus_width);
  std::array<char, 64> bus{};
  if (driver.DeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size() - 1), device) == CuResult::success)
    identity.power_class = power_class(bus.data());
  return facts;
}

}  // namespace attentune::cuda
