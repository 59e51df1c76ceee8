// KernelPicker: the kernel a command works on, as the library would choose it, or as --config says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/kernel.h"
#include "runtime/runtime.h"
#include "tools/attentune/arguments.h"

namespace attentune {

struct PickedKernel {
  std::shared_ptr<const Kernel> kernel;
  std::string trust;
  std::string provenance;  // Provenance's name, or "given_config"
};

class KernelPicker {
 public:
  // Opens the device and, unless --config is given, the Store in library mode.
  explicit KernelPicker(const Arguments& arguments);
  [[nodiscard]] const std::shared_ptr<const Device>& device() const noexcept { return device_; }
  [[nodiscard]] PickedKernel pick(const Problem& problem);

 private:
  std::shared_ptr<const Device> device_;
  std::optional<std::string> config_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace attentune
