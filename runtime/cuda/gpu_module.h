// GpuModule: a cubin on a GPU, whole and ready: nothing is loaded or looked up at a launch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generator/binary.h"
#include "runtime/cuda/gpu_context.h"
#include "runtime/cuda/gpu_identity.h"
#include "runtime/device.h"

namespace attentune::cuda {

// One launch of a call: its code, and what it takes.
struct GpuEntry {
  static constexpr int arguments = -1;  // in `parameters`: the AttentionArgs; other numbers are tensor maps
  CuFunction function = nullptr;
  std::int64_t dynamic_shared_limit = 0;
  std::vector<int> parameters;  // at most most_parameters
};
inline constexpr std::size_t most_parameters = 8;

class GpuModule final : public Module {
 public:
  // Throws Error(device_failed) for a damaged cubin, another GPU's, or one the driver is too old for.
  GpuModule(std::shared_ptr<const GpuContext> context, const GpuFacts& gpu, const Binary& binary);
  ~GpuModule() override;
  GpuModule(const GpuModule&) = delete;
  GpuModule& operator=(const GpuModule&) = delete;

  // Of each LaunchRule, in order.
  [[nodiscard]] const std::vector<GpuEntry>& entries() const noexcept { return entries_; }

 private:
  [[nodiscard]] GpuEntry entry_of(const LaunchRule& rule, const GpuFacts& gpu) const;

  std::shared_ptr<const GpuContext> context_;
  CuModule module_ = nullptr;
  std::vector<GpuEntry> entries_;
};

}  // namespace attentune::cuda
