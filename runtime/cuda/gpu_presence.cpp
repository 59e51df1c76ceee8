#include "runtime/cuda/gpu_presence.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace attentune::cuda {
namespace {

bool exists(const char* path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// PCI vendor 0x10de with a display class (0x03....).
bool on_pci_bus() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/bus/pci/devices", error)) {
    std::string vendor;
    std::string kind;
    std::ifstream(entry.path() / "vendor") >> vendor;
    std::ifstream(entry.path() / "class") >> kind;
    if (vendor == "0x10de" && kind.rfind("0x03", 0) == 0)
      return true;
  }
  return false;
}

}  // namespace

GpuPresence find_gpu() {
  // The second path is WSL's.
  if (exists("/dev/nvidiactl") || exists("/usr/lib/wsl/lib/libcuda.so.1"))
    return GpuPresence::driver;
  return on_pci_bus() ? GpuPresence::device_without_driver : GpuPresence::none;
}

}  // namespace attentune::cuda
