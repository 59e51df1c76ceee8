// forward_mma: attention forward on GPUs of cc 8.0 and up by cp.async, ldmatrix and mma.sync (templates/cuda).
#pragma once

#include "generator/kernel_family.h"

namespace attentune {

class ForwardMma final : public KernelFamily {
 public:
  [[nodiscard]] std::string_view name() const override { return "forward_mma"; }
  [[nodiscard]] std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] ConfigSpace space(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Config default_config(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Resources resources(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Config relaunched(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Source render(const Problem& problem, const Arch& arch, const Config& config) const override;
};

}  // namespace attentune
