// Is there an NVIDIA GPU, as far as files tell? Nothing is loaded and no driver is called.
#pragma once

#include <cstdint>

namespace attentune::cuda {

enum class GpuPresence : std::uint8_t {
  none,
  device_without_driver,  // a PCI device of the vendor, but no driver
  driver,                 // a driver that answers for a device
};
[[nodiscard]] GpuPresence find_gpu();
[[nodiscard]] inline bool gpu_is_present() { return find_gpu() == GpuPresence::driver; }

}  // namespace attentune::cuda
