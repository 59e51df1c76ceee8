// forward_wgmma: attention forward on Hopper (sm_90a) by the tensor memory accelerator and wgmma, in blocks whose warps
// have roles (templates/cuda/forward_wgmma.cuh).
#pragma once

#include "generator/kernel_family.h"

namespace attentune {

class ForwardWgmma final : public KernelFamily {
 public:
  [[nodiscard]] std::string_view name() const override { return "forward_wgmma"; }
  [[nodiscard]] std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] ConfigSpace space(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Config default_config(const Problem& problem, const Arch& arch) const override;
  [[nodiscard]] Resources resources(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Config relaunched(const Problem& problem, const Arch& arch, const Config& config) const override;
  [[nodiscard]] Source render(const Problem& problem, const Arch& arch, const Config& config) const override;
};

}  // namespace attentune
